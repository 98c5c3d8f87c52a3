#![expect(clippy::disallowed_methods, reason = "runs the real builder")]

use std::path::{Path, PathBuf};
use std::process::Stdio;

use nofx_tests::Tenant;
use nofx_tests::fakes::edge_config::EdgeConfig;
use nofx_tests::plans::{bash, plan, step, until};
use nofx_tests::stack::{STACK, binary, dev_file, root, target};
use nofx_tests::suite::unset_package;
use nofx_tests::vercel::Deployment;
use reqwest::Method;
use serde_json::json;
use tokio::process::Command;

use crate::settings;

/// Builds with Vercel's own builder, once a run of the tests: each is a process, and the folder of the stack is the run's.
pub(crate) async fn built() -> PathBuf {
    let output = dev_file().with_file_name("vercel");
    // The builder writes into the checkout too: one at a time, whosever it is.
    let lock = std::fs::File::open(root()).expect("the checkout");
    tokio::task::block_in_place(|| lock.lock()).expect("its turn");
    if !output.exists() {
        let half = output.with_extension("half");
        let built = build(&half, None).await;
        assert!(built.status.success(), "vercel build failed: {}", String::from_utf8_lossy(&built.stderr));
        std::fs::rename(&half, &output).expect("it is whole");
    }
    output
}

/// Runs scripts/vercel-build.sh. What is deployed takes two cores five minutes to compile: without `NOFX_TEST_LONG` the builder gets the
/// functions that scripts/test.sh compiled, which may be larger.
async fn build(output: &Path, limit: Option<u64>) -> std::process::Output {
    let mut command = Command::new(root().join("scripts/vercel-build.sh"));
    // As it is deployed: not through clippy, by which scripts/test.sh compiles.
    command.arg(output).env_remove("RUSTC_WORKSPACE_WRAPPER").stdin(Stdio::null()).kill_on_drop(true);
    unset_package(&mut command);
    if std::env::var_os("NOFX_TEST_LONG").is_some() {
        command.args(limit.map(|limit| limit.to_string()));
        return command.output().await.expect("the script runs");
    }
    command.arg(limit.unwrap_or(100_000_000).to_string());
    let home = tempfile::tempdir().expect("a folder");
    let (programs, compiled) = (home.path().join(".cargo/bin"), home.path().join("target/release"));
    for folder in [&programs, &compiled] {
        std::fs::create_dir_all(folder).expect("a folder");
    }
    // The builder and the script find this cargo first.
    let cargo = programs.join("cargo");
    std::fs::write(&cargo, format!("#!/bin/sh\n[ \"$1\" = build ] || exec '{}' \"$@\"\n", env!("CARGO"))).expect("written");
    std::fs::set_permissions(&cargo, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("it can be run");
    for file in std::fs::read_dir(root().join("api")).expect("functions") {
        let path = file.expect("an entry").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("text");
        if path.extension().is_some_and(|end| end == "rs") && !name.starts_with('_') {
            let (from, to) = (binary().with_file_name(name), compiled.join(name));
            let status = Command::new("strip").arg("-o").args([to, from]).status().await.expect("strip runs");
            assert!(status.success(), "{name} can be stripped");
        }
    }
    std::os::unix::fs::symlink(target().join("vercel-cli"), home.path().join("target/vercel-cli")).expect("a link");
    let of_user = |name: &str, folder: &str| {
        let user = || PathBuf::from(std::env::var_os("HOME").expect("a home")).join(folder).into_os_string();
        std::env::var_os(name).unwrap_or_else(user)
    };
    let path = std::env::join_paths([programs].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").expect("a path"))));
    command
        .env("CARGO_HOME", of_user("CARGO_HOME", ".cargo"))
        .env("RUSTUP_HOME", of_user("RUSTUP_HOME", ".rustup"))
        .env("CARGO_TARGET_DIR", home.path().join("target"))
        .env("PATH", path.expect("a path"))
        .env("HOME", home.path());
    command.output().await.expect("the script runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_is_too_large_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("output");
    let built = build(&output, Some(1_000_000)).await;
    assert!(!built.status.success() && !output.exists(), "it was built");
    let built = String::from_utf8_lossy(&built.stderr).into_owned();
    assert!(built.contains("The function of api/artifacts.rs has ") && built.contains(" more than 1000000"), "{built}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_function_and_continues_elsewhere_without_loss() {
    let deployment = Deployment::start(&built().await, &settings(STACK.dev())).await;
    let person = Tenant::new().await.contributor();
    let folder = tempfile::tempdir().expect("a folder");
    let moved = folder.path().join("moved");
    let id = person.submit(plan(vec![step("a", "noop", &[], json!({})), bash("long", &until(&moved))])).await;
    let client = nofx_shared::net::client();
    let open = |last: Option<String>, base: &str| {
        let request = client.get(format!("{base}/api/events/stream?run_id={id}")).bearer_auth(&person.token);
        last.into_iter().fold(request, |request, last| request.header("last-event-id", last)).send()
    };
    let mut first = open(None, &deployment.url).await.expect("a stream");
    let mut text = String::new();
    while !text.contains("step.succeeded") {
        text.push_str(&String::from_utf8_lossy(&first.chunk().await.expect("it streams").expect("it goes on")));
    }
    deployment.terminate("/api/events");
    while let Some(chunk) = first.chunk().await.expect("it is not cut off") {
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    assert!(text.contains("event: reconnect"), "it was asked to reconnect: {text}");
    assert!(deployment.ended_well("/api/events").await, "SIGTERM ends a function within its time");

    let last =
        text.lines().filter_map(|line| line.strip_prefix("id: ").or_else(|| line.strip_prefix("id:"))).next_back().map(str::to_owned);
    let elsewhere = Deployment::start(&built().await, &settings(STACK.dev())).await;
    let mut second = open(last, &elsewhere.url).await.expect("a stream");
    std::fs::write(moved, "").expect("written");
    while !text.contains("run.succeeded") {
        text.push_str(&String::from_utf8_lossy(&second.chunk().await.expect("it streams").expect("it goes on")));
    }
    let ids: Vec<&str> = text.lines().filter(|line| line.starts_with("id:")).collect();
    let emitted = person.run_events(&id).await;
    assert_eq!(ids.len(), emitted.len(), "each event once: {ids:?} {emitted:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn crons_need_their_secret_and_may_fire_twice() {
    let deployment = Deployment::start(&built().await, &settings(STACK.dev())).await;
    let config: serde_json::Value =
        serde_json::from_slice(&std::fs::read(built().await.join("config.json")).expect("a build output")).expect("JSON");
    let crons = config["crons"].as_array().expect("crons");
    assert!(crons.len() >= 4, "{crons:?}");
    let client = nofx_shared::net::client();
    for cron in crons {
        let url = format!("{}{}", deployment.url, cron["path"].as_str().expect("a path"));
        let refused = client.request(Method::GET, &url).bearer_auth("a-secret-of-nobody").send().await.expect("an answer");
        assert_eq!(refused.status(), 401, "{url}");
        for _ in 0..2 {
            let done = client.get(&url).bearer_auth("a-secret-of-crons").send().await.expect("an answer");
            assert_eq!(done.status(), 200, "{url}: {}", done.text().await.unwrap_or_default());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_carry_the_security_headers_of_the_deployment_and_sources_are_not_published() {
    let output = built().await;
    let deployment = Deployment::start(&output, &settings(STACK.dev())).await;
    let answer = nofx_shared::net::client().get(format!("{}/api/health", deployment.url)).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    for name in ["strict-transport-security", "x-content-type-options", "x-frame-options", "content-security-policy"] {
        assert!(answer.headers().contains_key(name), "{name}: {:?}", answer.headers());
    }
    let published: Vec<_> = walk(&output.join("static"));
    assert!(published.iter().any(|path| path.ends_with("app.css")), "{published:?}");
    assert!(
        published.iter().all(|path| !matches!(path.extension().and_then(|e| e.to_str()), Some("rs" | "toml" | "sql" | "json"))),
        "{published:?}"
    );
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return vec![] };
    entries
        .flat_map(|entry| {
            let path = entry.expect("an entry").path();
            if path.is_dir() { walk(&path) } else { vec![path] }
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn open_breakers_are_read_at_the_edge_and_from_the_database_when_the_edge_is_unavailable() {
    let edge = EdgeConfig::start().await;
    let deployment = Deployment::start(&built().await, &[settings(STACK.dev()), edge.settings()].concat()).await;
    let tenant = Tenant::new().await;
    let open = "insert into nofx.handler_health (tenant_id, target, state, probe_at, opened_at) values ($1, $2, 'open', now() + interval '1 hour', now())";
    let sql = STACK.sql().await;
    sql.execute(open, &[&tenant.id, &"bash"]).await.expect("a breaker");
    let client = nofx_shared::net::client();
    let watch = async || {
        let cron = client.get(format!("{}/api/cron/alerts", deployment.url)).bearer_auth("a-secret-of-crons");
        assert_eq!(cron.send().await.expect("an answer").status(), 200);
    };
    let warnings = async |tenant: &Tenant| {
        let body = json!({"plan": {"goal": "g", "steps": [{"name": "a", "tool": "bash", "inputs": {"script": "true"}}]}});
        let request = client.post(format!("{}/api/runs?dry_run=true", deployment.url)).bearer_auth(&tenant.contributor().token);
        let answer: serde_json::Value = request.json(&body).send().await.expect("an answer").json().await.expect("JSON");
        answer["warnings"].to_string()
    };
    watch().await;
    let id = tenant.id.to_string();
    assert_eq!(edge.item("nofx_breakers").expect("it was published")[&id], json!({"bash": "open"}));
    let reads = edge.reads();
    assert!(warnings(&tenant).await.contains("the breaker of bash is open"));
    assert_eq!(edge.reads(), reads + 1, "it was read at the edge");

    // This breaker is not at the edge, whose data counts until it is unavailable.
    let other = Tenant::new().await;
    sql.execute(open, &[&other.id, &"bash"]).await.expect("a breaker");
    edge.fail(Some(503));
    assert!(warnings(&other).await.contains("the breaker of bash is open"), "the database was asked");
    watch().await;
    edge.fail(None);
    let writes = edge.writes();
    watch().await;
    assert!(edge.item("nofx_breakers").expect("it was published")[&other.id.to_string()].is_object());
    assert!(edge.writes() > writes, "a failed write is repeated later");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_is_a_function_with_its_files_beside_it() {
    let deployment = Deployment::start(&built().await, &settings(STACK.dev())).await;
    let client = nofx_shared::net::client();
    let get = async |path: &str| client.get(format!("{}{path}", deployment.url)).send().await.expect("an answer");
    for (file, kind) in [
        ("/app.css", "text/css"),
        ("/tokens.css", "text/css"),
        ("/app.js", "text/javascript"),
        ("/vendor/htmx.min.js", "text/javascript"),
        ("/icons/idle.svg", "image/svg+xml"),
    ] {
        let answer = get(file).await;
        assert_eq!((answer.status().as_u16(), answer.headers()["content-type"].to_str().expect("text")), (200, kind), "{file}");
    }
    assert_eq!(get("/ui/runs?status=failed").await.headers()["location"], "/ui/sign-in?next=%2Fui%2Fruns%3Fstatus%3Dfailed");
    let tenant = Tenant::new().await;
    let run = tenant.contributor().run(plan(vec![step("a", "noop", &[], json!({}))])).await;
    let page = client
        .get(format!("{}/ui/runs/{}", deployment.url, run["id"].as_str().expect("an id")))
        .header("cookie", format!("nofx_session={}", tenant.viewer().token));
    let page = page.send().await.expect("an answer");
    assert_eq!(page.status(), 200);
    let policy =
        page.headers().get_all("content-security-policy").iter().map(|value| value.to_str().expect("text").to_owned()).collect::<Vec<_>>();
    assert!(policy.len() == 1 && policy[0].contains("script-src 'self'"), "{policy:?}");
    assert!(page.text().await.expect("text").contains("data-step=\"a\""));
}
