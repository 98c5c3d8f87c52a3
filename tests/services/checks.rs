#![expect(clippy::disallowed_methods, reason = "openssl makes a key and signs")]

use nofx_tests::WAIT_LIMIT;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nofx_tests::fakes::checks::{APP, Checks};
use nofx_tests::fakes::git_host::GitHost;
use nofx_tests::own::Own;
use nofx_tests::people::step;
use nofx_tests::plans::until;
use reqwest::Method;
use serde_json::{Value, json};

/// Where the pull requests are from, and what a stack needs to check it out.
struct Forge {
    host: GitHost,
    checks: Checks,
    key: String,
    port: String,
}

impl Forge {
    async fn start() -> Self {
        let host = GitHost::start("https://127.0.0.1:1");
        let port = host.port.to_string();
        Self { host, checks: Checks::start().await, key: openssl(&["genrsa", "2048"], b""), port }
    }

    /// A stack whose policies ask nothing of gates.
    async fn stack(&self, name: &str) -> Own {
        let certificate = self.host.certificate();
        let settings = [
            ("GITHUB_API_URL", self.checks.url.as_str()),
            ("NOFX_SECRET_GITHUB_APP_ID", "4711"),
            ("NOFX_SECRET_GITHUB_APP_KEY", self.key.as_str()),
            ("GITHUB_WEBHOOK_SECRET", "hook-secret"),
            ("NOFX_ALLOW_PRIVATE_ADDRESSES", "true"),
            ("NOFX_URL", "https://nofx.example.com"),
            ("NOFX_STEP_PORTS", self.port.as_str()),
            ("SSL_CERT_FILE", certificate.to_str().expect("text")),
        ];
        let own = Own::start_with(&Own::folder(name), &["--workers", "1"], &settings);
        own.call(Method::POST, "/api/gates/policies", Some(&json!({"tool": "git:*"}))).await.expect("a policy");
        own
    }

    /// The commit that the pull request proposes.
    fn sha(&self) -> String {
        self.host.git(&["rev-parse", "main"]).trim().to_owned()
    }

    /// A plan for it.
    fn plan(&self, steps: &Value) -> Value {
        let sha = self.sha();
        json!({"goal": "pull request", "workspace": {"git": format!("{}/acme/web.git", self.host.url()), "ref": sha}, "steps": steps,
            "pull_request": {"repository": "acme/web", "head_sha": sha, "number": 7}})
    }
}

fn openssl(arguments: &[&str], input: &[u8]) -> String {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), input).expect("written");
    String::from_utf8(child.wait_with_output().expect("it ends").stdout).expect("text")
}

/// The checks, once they are as wanted.
async fn wait(checks: &Checks, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let all = checks.all();
        if wanted(&all) {
            return all;
        }
        assert!(begun.elapsed() < WAIT_LIMIT, "{all:#?} {:?}", checks.refused());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn sign(body: &str) -> String {
    let signature = openssl(&["dgst", "-sha256", "-hmac", "hook-secret", "-r"], body.as_bytes());
    signature.split(' ').next().expect("a digest").to_owned()
}

/// Sends a webhook as GitHub does; returns the status and the body of the response.
async fn deliver(own: &Own, event: &str, body: &str, signature: &str) -> (u16, Value) {
    let request = nofx_shared::net::client()
        .post(format!("{}/api/webhooks/github", own.dev()["api_url"].as_str().expect("a URL")))
        .header("x-github-event", event)
        .header("x-hub-signature-256", format!("sha256={signature}"));
    let response = request.header("content-type", "application/json").body(body.to_owned()).send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

fn named<'a>(checks: &'a [Value], name: &str) -> &'a Value {
    // A check's name begins with the tool.
    let is_named = |check: &&Value| check["name"].as_str().and_then(|all| all.rsplit_once(": ")).is_some_and(|(_, step)| step == name);
    checks.iter().rev().find(is_named).unwrap_or(&Value::Null)
}

#[tokio::test(flavor = "multi_thread")]
async fn gates_of_a_pull_request_are_shown_where_it_is_and_run_again_from_there() {
    let forge = Forge::start().await;
    let own = forge.stack("checks").await;
    let (checks, sha) = (&forge.checks, forge.sha());
    let (go, marker) = (own.dir.join("go"), own.dir.join("mended"));
    // 120 findings: more than one request can hold.
    let lint = format!("test -e {} || for n in $(seq 120); do echo \"src/a.py:$n:1: error: bad\"; done", marker.display());
    let plan = forge.plan(&json!([
        {"name": "unit tests", "tool": "gate:unit", "needs": [], "inputs": {"command": until(&go)}},
        {"name": "lint", "tool": "gate:lint", "needs": ["unit tests"], "inputs": {"command": lint}},
        {"name": "after", "tool": "gate:unit", "needs": ["lint"], "inputs": {"command": "true"}},
        {"name": "work", "tool": "noop", "needs": []}]));
    // The first one is created, and its response lost: it is found again, not created twice.
    checks.lose_an_answer();
    let id = own.submit(&plan).await;
    wait(checks, |all| named(all, "unit tests")["status"] == "in_progress").await;
    std::fs::write(&go, "").expect("written");
    let all = wait(checks, |all| ["unit tests", "lint", "after"].iter().all(|name| named(all, name)["status"] == "completed")).await;
    assert_eq!(checks.refused(), [""; 0]);
    assert_eq!(all.len(), 3, "one check a gate: {all:#?}");
    let unit = named(&all, "unit tests");
    assert_eq!(
        (unit["conclusion"].as_str(), unit["head_sha"].as_str(), unit["details_url"].as_str()),
        (Some("success"), Some(sha.as_str()), Some(format!("https://nofx.example.com/ui/runs/{id}").as_str()))
    );
    assert!(named(&all, "lint")["states"].as_array().is_some_and(|states| states[0] == "queued"), "{all:#?}");
    let lint = named(&all, "lint");
    assert_eq!((lint["conclusion"].as_str(), lint["annotations"].as_array().map(Vec::len)), (Some("failure"), Some(120)));
    assert_eq!(lint["annotations"][119]["start_line"], 120);
    assert_eq!(named(&all, "after")["conclusion"], "action_required", "GitHub would take `skipped` for passed");
    assert_eq!(unit["name"], "gate:unit: unit tests");
    assert!(checks.tokens_made() > 0);

    // "Re-run" at GitHub.
    std::fs::write(&marker, "").expect("written");
    let run = own.wait(&id, nofx_tests::own::is_finished).await;
    let lint = &step(&run, "lint")["id"];
    let hook = Checks::rerequested("acme/web", APP, lint).to_string();
    let signature = sign(&hook);
    let deliver = async |body: &str, signature: &str| deliver(&own, "check_run", body, signature).await.0;
    assert_eq!(deliver(&hook, &signature.chars().rev().collect::<String>()).await, 401);
    assert_eq!(deliver(&hook.replace("acme/web", "evil/web"), &signature).await, 401);
    for foreign in [Checks::rerequested("evil/web", APP, lint), Checks::rerequested("acme/web", 1, lint)] {
        assert_eq!(deliver(&foreign.to_string(), &sign(&foreign.to_string())).await, 404, "another repository's, another App's");
    }
    assert_eq!(deliver(&hook, &signature).await, 200);
    let all = wait(checks, |all| named(all, "after")["conclusion"] == "success").await;
    assert_eq!((named(&all, "lint")["conclusion"].as_str(), all.len()), (Some("success"), 5), "a new round of what ran again: {all:#?}");
    assert_eq!(deliver(&hook, &signature).await, 200, "a replay: nothing runs, and nothing is refused");
    assert_eq!(
        deliver(&hook.replace("\"bob\"", "\"eve\""), &sign(&hook.replace("\"bob\"", "\"eve\""))).await,
        409,
        "the run has succeeded"
    );

    // A run that is cancelled leaves no check open.
    let slow = forge.plan(&json!([
        {"name": "slow", "tool": "gate:unit", "inputs": {"command": until(&own.dir.join("never"))}}, {"name": "never", "tool": "manual:look"}]));
    let id = own.submit(&slow).await;
    wait(checks, |all| named(all, "slow")["status"] == "in_progress").await;
    own.call(Method::POST, &format!("/api/runs/{id}/cancel"), Some(&json!({}))).await.expect("cancelled");
    let all = wait(checks, |all| named(all, "slow")["status"] == "completed" && named(all, "never")["status"] == "completed").await;
    assert_eq!(
        (named(&all, "slow")["conclusion"].as_str(), named(&all, "never")["conclusion"].as_str()),
        (Some("cancelled"), Some("cancelled"))
    );
    assert_eq!(checks.refused(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_checks_of_a_commit_run_again_from_github() {
    let forge = Forge::start().await;
    let own = forge.stack("suites").await;
    let (checks, sha) = (&forge.checks, forge.sha());
    let marker = own.dir.join("mended");
    let lint = format!("test -e {}", marker.display());
    let id = own
        .submit(&forge.plan(&json!([
            {"name": "unit", "tool": "gate:unit", "needs": [], "inputs": {"command": "true"}},
            {"name": "lint", "tool": "gate:lint", "needs": ["unit"], "inputs": {"command": lint}}])))
        .await;
    own.wait(&id, nofx_tests::own::is_finished).await;
    wait(checks, |all| ["unit", "lint"].iter().all(|name| named(all, name)["status"] == "completed")).await;
    let deliver = async |body: Value| {
        let body = body.to_string();
        deliver(&own, "check_suite", &body, &sign(&body)).await
    };
    let none = (200, json!({"rerun_gates": []}));
    assert_eq!(deliver(Checks::suite_rerequested("acme/web", APP, &"f".repeat(40))).await, none, "a suite without our checks");
    assert_eq!(deliver(Checks::suite_rerequested("acme/web", 1, &sha)).await, none, "another App's");
    assert_eq!(deliver(Checks::suite_rerequested("evil/web", APP, &sha)).await, none, "another repository's");
    let mut hostile = Checks::suite_rerequested("acme/web", APP, &sha);
    for (pointer, value) in [
        ("/check_suite/app/id", json!("4711")),
        ("/check_suite/app/id", json!(-1)),
        ("/check_suite/app/id", json!(u64::MAX)),
        ("/check_suite/head_sha", json!({"sha": sha})),
        ("/check_suite", json!([])),
        ("/repository", Value::Null),
        ("/action", json!("completed")),
    ] {
        let was = std::mem::replace(hostile.pointer_mut(pointer).expect("it is there"), value);
        assert_eq!(deliver(hostile.clone()).await, none, "{pointer}");
        *hostile.pointer_mut(pointer).expect("it is there") = was;
    }
    assert_eq!(checks.all().len(), 2, "nothing ran again");

    std::fs::write(&marker, "").expect("written");
    let (code, body) = deliver(Checks::suite_rerequested("acme/web", APP, &sha)).await;
    assert_eq!((code, body["rerun_gates"].as_array().map(Vec::len)), (200, Some(2)), "the gate that passed, too: {body}");
    let all = wait(checks, |all| all.len() == 4 && all[2..].iter().all(|check| check["status"] == "completed")).await;
    assert!(all[2..].iter().all(|check| check["conclusion"] == "success"), "{all:#?}");
    let run = own.wait(&id, nofx_tests::own::is_finished).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    assert_eq!(deliver(Checks::suite_rerequested("acme/web", APP, &sha)).await, none, "a run that succeeded is not run again");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_painted_on_a_commit_that_was_not_judged() {
    let forge = Forge::start().await;
    let own = forge.stack("painted").await;
    let unit = json!({"name": "unit", "tool": "gate:unit", "inputs": {"command": "true"}});
    let write = json!({"name": "write", "tool": "workspace:write", "inputs": {"files": {"evil.txt": "x"}}});
    let branch = |plan: Value| {
        let mut plan = plan;
        plan["workspace"]["ref"] = json!("main");
        plan
    };
    let other = "f".repeat(40);
    let mut of_another_commit = branch(forge.plan(&json!([unit])));
    of_another_commit["pull_request"]["head_sha"] = json!(other);
    let mut of_another_repository = forge.plan(&json!([unit]));
    of_another_repository["pull_request"]["repository"] = json!("acme/other");
    // Nothing is judged where there is nothing to go through.
    let mut empty = unit.clone();
    empty["for_each"] = json!("[]");
    let mut of_none = forge.plan(&json!([unit]));
    of_none["workspace"] = Value::Null;
    for (plan, why) in [
        (of_another_commit, format!("was judged, not {other}")),
        (branch(forge.plan(&json!([write, unit]))), "it had changes".to_owned()),
        (of_another_repository, "which is not acme/other".to_owned()),
        (of_none, "no workspace from acme/web".to_owned()),
        (branch(forge.plan(&json!([{"name": "ask", "tool": "manual:look"}]))), "set `workspace.ref` to".to_owned()),
    ] {
        let id = own.submit(&plan).await;
        if why.contains("workspace.ref") {
            let run = own.wait(&id, |run| run["gates"][0]["status"] == "pending").await;
            let path = format!("/api/gates/{}/approve", run["gates"][0]["id"].as_str().expect("an id"));
            own.call(Method::POST, &path, Some(&json!({}))).await.expect("approved");
        }
        own.wait(&id, nofx_tests::own::is_finished).await;
        let begun = Instant::now();
        loop {
            let timeline = own.call(Method::GET, &format!("/api/runs/{id}/timeline"), None).await.expect("events");
            let refused = timeline["data"].as_array().expect("events").iter().find(|event| event["type"] == "check.refused");
            if let Some(reason) = refused.and_then(|event| event["data"]["reason"].as_str()) {
                assert!(reason.contains(&why), "{why}: {reason}");
                break;
            }
            assert!(begun.elapsed() < WAIT_LIMIT, "{why}: {timeline}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    assert_eq!(forge.checks.all(), Vec::<Value>::new(), "nobody saw any of it");
    // It may be seen while it runs, and never as a success.
    let id = own.submit(&forge.plan(&json!([empty]))).await;
    own.wait(&id, nofx_tests::own::is_finished).await;
    let begun = Instant::now();
    loop {
        let timeline = own.call(Method::GET, &format!("/api/runs/{id}/timeline"), None).await.expect("events");
        let refused = timeline["data"].as_array().expect("events").iter().find(|event| event["type"] == "check.refused");
        if let Some(reason) = refused.and_then(|event| event["data"]["reason"].as_str()) {
            assert!(reason.contains("succeeded without a verdict"), "{reason}");
            break;
        }
        assert!(begun.elapsed() < WAIT_LIMIT, "{timeline}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(forge.checks.all().iter().all(|check| check["conclusion"] != "success"), "{:#?}", forge.checks.all());

    // Judged where it says, and the branch leads there: it is shown, with its verdict.
    own.submit(&branch(forge.plan(&json!([unit])))).await;
    let all = wait(&forge.checks, |all| named(all, "unit")["status"] == "completed").await;
    assert_eq!(named(&all, "unit")["conclusion"], "success", "{all:#?}");
    // A verdict that counts for no policy is no success.
    let asks = json!({"tool": "git:pr", "requires": ["gate:unit"]});
    own.call(Method::POST, "/api/gates/policies", Some(&asks)).await.expect("a policy");
    own.submit(&forge.plan(&json!([{"name": "weak", "tool": "gate:unit", "inputs": {"command": "true"}}]))).await;
    let all = wait(&forge.checks, |all| named(all, "weak")["status"] == "completed").await;
    assert_eq!(named(&all, "weak")["conclusion"], "action_required", "{all:#?}");
    assert!(named(&all, "weak")["summary"].to_string().contains("does not count"), "{all:#?}");
    assert_eq!(forge.checks.refused(), [""; 0]);
}
