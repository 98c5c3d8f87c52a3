#![expect(clippy::disallowed_methods, reason = "starts stacks that must not start, and a test")]

use nofx_tests::WAIT_LIMIT;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use nix::sys::signal::Signal;
use nofx_tests::own::Own;
use nofx_tests::plans::{bash, plan, until};
use nofx_tests::stack::{binary, root, target};
use serde_json::Value;

/// All processes of a stack.
fn processes(dev: &Value) -> Vec<i64> {
    let pids = &dev["pids"];
    let workers = pids["workers"].as_array().cloned().unwrap_or_default();
    ["postgres", "postgrest", "api"].iter().map(|name| pids[name].clone()).chain(workers).filter_map(|pid| pid.as_i64()).collect()
}

/// `nofx dev` where it must refuse to start.
fn refused(arguments: &[&str]) -> Output {
    Command::new(binary()).arg("dev").args(arguments).current_dir(root()).stdin(Stdio::null()).output().expect("it runs")
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn two_stacks_run_side_by_side_and_stopping_leaves_no_process() {
    let (mut one, mut two) = (Own::make(&Own::folder("one"), &[], &[]), Own::make(&Own::folder("two"), &[], &[]));
    let (first, second) = (one.dev(), two.dev());
    assert_ne!(first["api_url"], second["api_url"]);
    assert_ne!(first["jwt_secret"], second["jwt_secret"], "each stack has keys of its own");
    assert!(processes(&first).iter().chain(&processes(&second)).all(|pid| Own::lives(*pid)), "all processes are there");

    assert!(one.stop().success());
    assert!(!one.dir.join("dev.json").exists(), "whoever looks for the stack must not find a stopped one");
    assert!(processes(&first).iter().all(|pid| !Own::lives(*pid)), "a process was left behind: {first}");
    assert!(processes(&second).iter().all(|pid| Own::lives(*pid)), "the other stack was touched");
    assert!(two.stop().success());
    assert!(processes(&second).iter().all(|pid| !Own::lives(*pid)), "a process was left behind: {second}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_warns_of_nothing_while_streams_are_open() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut own = Own::start_with(&Own::folder("quiet"), &["--workers", "1"], &[("RUST_LOG", "info")]);
        let dev = own.dev();
        let request = nofx_shared::net::client().get(format!("{}/api/events/stream", dev["api_url"].as_str().expect("a URL")));
        let mut stream = request.bearer_auth(dev["tokens"]["viewer"].as_str().expect("a token")).send().await.expect("a stream");
        assert_eq!(own.run(&plan(vec![bash("a", "true")])).await["status"], "succeeded");
        let mut read = String::new();
        while !read.contains("event: run.succeeded") {
            read.push_str(&String::from_utf8_lossy(&stream.chunk().await.expect("a chunk").expect("it is open")));
        }
        assert!(own.stop_by(signal).success());
        while let Some(chunk) = stream.chunk().await.expect("the stream ends in order") {
            read.push_str(&String::from_utf8_lossy(&chunk));
        }
        assert!(read.ends_with("event: reconnect\ndata: {}\nretry: 500\n\n"), "{read}");
        let log = std::fs::read_to_string(own.dir.join("dev.log")).expect("a log");
        assert!(log.contains("stopping") && !log.contains("WARN") && !log.contains("ERROR"), "{signal}: {log}");
    }
}

#[test]
fn a_start_after_sigkill_ends_what_was_left_behind() {
    let dir = Own::folder("left");
    let mut killed = Own::start(&dir, &["--workers", "2", "--queue", "redis"]);
    let before = killed.dev();
    Own::kill(i64::from(killed.process.id()), Signal::SIGKILL);
    killed.process.wait().expect("it is dead");
    let left: Vec<i64> = processes(&before).into_iter().filter(|pid| Own::lives(*pid)).collect();
    assert!(!left.is_empty(), "SIGKILL leaves children behind");

    let mut again = Own::start(&dir, &["--workers", "2", "--queue", "redis"]);
    assert!(left.iter().all(|pid| !Own::lives(*pid)), "the next start ends them: {}", before["pids"]);
    again.stop();
}

#[test]
fn a_test_that_is_killed_leaves_nothing_behind() {
    // Only this process is killed, or it and its stack are stopped at the same time, as nextest does it.
    for is_group in [false, true] {
        let dir = Own::folder("abandoned");
        // A program that starts a stack as tests do, holds its input, and is killed.
        let script = "exec 3> >(exec \"$0\" dev --temporary --port 0 --workers 1 --queue redis --data-dir \"$1\" 2> \"$1/dev.log\"); exec sleep infinity";
        let mut test = Command::new("bash")
            .args(["-c", script])
            .arg(binary())
            .arg(&dir)
            .current_dir(root())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("it starts");
        wait_until("its stack did not start", || dir.join("dev.json").exists());
        let dev = read(&dir.join("dev.json"));
        let all: Vec<i64> = processes(&dev).into_iter().chain(dev["pids"]["queue"].as_i64()).collect();
        assert!(all.len() == 5 && all.iter().all(|pid| Own::lives(*pid)), "{dev}");
        if is_group {
            let group = nix::unistd::Pid::from_raw(i32::try_from(test.id()).expect("an id"));
            nix::sys::signal::killpg(group, Signal::SIGTERM).expect("sent");
        } else {
            test.kill().expect("killed");
        }
        test.wait().expect("it ended");
        wait_until("a process was left behind", || all.iter().all(|pid| !Own::lives(*pid)));
        wait_until("the folder was left behind", || !dir.exists());
    }
}

#[test]
fn a_run_of_the_tests_that_is_killed_leaves_nothing_behind() {
    let dir = Own::folder("killed-run");
    let (bin, temporary) = (dir.join("bin"), dir.join("temporary"));
    for folder in [&bin, &temporary] {
        std::fs::create_dir(folder).expect("a folder");
        std::fs::set_permissions(folder, Permissions::from_mode(0o755)).expect("Postgres can go there");
    }
    // In the place of cargo: there is nothing to build, and the tests are a process that lasts.
    let cargo = bin.join("cargo");
    let script =
        "#!/bin/sh\n[ \"$1 $2\" = 'nextest run' ] || exit 0\necho $$ > $TMPDIR/half && mv $TMPDIR/half $TMPDIR/begun && exec sleep 600\n";
    std::fs::write(&cargo, script).expect("written");
    std::fs::set_permissions(&cargo, Permissions::from_mode(0o755)).expect("it can be run");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("a PATH"));
    let log = std::fs::File::create(dir.join("test.log")).expect("a file");
    let mut test = Command::new(root().join("scripts/test.sh"))
        .arg("a_word")
        .env("PATH", path)
        .env("CARGO_TARGET_DIR", target())
        .env("TMPDIR", &temporary)
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a file"))
        .stderr(log)
        .spawn()
        .expect("it starts");
    let its = || std::fs::read_dir(&temporary).expect("a folder").next().map(|entry| entry.expect("an entry").path());
    let printed = || std::fs::read_to_string(dir.join("test.log")).unwrap_or_default();
    wait_until("the tests did not begin", || {
        assert!(matches!(test.try_wait(), Ok(None)), "it ended: {}", printed());
        its().is_some_and(|its| its.join("tmp/begun").exists())
    });
    let its_folder = its().expect("it is there");
    let (dev, tests) = (read(&its_folder.join("dev.json")), read(&its_folder.join("tmp/begun")));
    let all: Vec<i64> = processes(&dev).into_iter().chain(tests.as_i64()).collect();
    assert!(all.len() == 6 && all.iter().all(|pid| Own::lives(*pid)), "{dev} {tests}");
    test.kill().expect("killed");
    test.wait().expect("it ended");
    wait_until("a process was left behind", || all.iter().all(|pid| !Own::lives(*pid)));
    wait_until("a folder was left behind", || its().is_none());
    std::fs::remove_dir_all(dir).expect("removed");
}

fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !is() {
        assert!(begun.elapsed() < WAIT_LIMIT, "{what}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let dir = Own::folder("port");
    let output = refused(&["--port", &port, "--data-dir", &dir.to_string_lossy()]);
    assert!(!output.status.success());
    assert_eq!(printed(&output), format!("nofx: port {port} is in use; stop the process that listens there or pass --port\n"));
    std::fs::remove_dir_all(dir).expect("removed");
}

#[test]
fn a_checkout_without_its_packages_says_how_to_get_them() {
    let dir = Own::folder("bare");
    std::fs::create_dir_all(dir.join("supabase/migrations")).expect("a folder");
    let output = Command::new(binary()).args(["dev", "--port", "0"]).current_dir(&dir).stdin(Stdio::null()).output().expect("it runs");
    assert!(!output.status.success());
    assert!(printed(&output).contains("was not found; run `npm ci` in "), "{}", printed(&output));
    assert_eq!(printed(&output).lines().count(), 1, "{}", printed(&output));
    std::fs::remove_dir_all(dir).expect("removed");
}

#[test]
fn a_folder_in_use_and_a_folder_of_another_schema_are_named() {
    let dir = Own::folder("folder");
    let mut own = Own::start(&dir, &["--workers", "0"]);
    let path = dir.to_string_lossy().into_owned();
    let output = refused(&["--port", "0", "--data-dir", &path]);
    assert!(!output.status.success());
    assert!(printed(&output).contains("is in use by another nofx"), "{}", printed(&output));
    own.stop();
    std::fs::write(dir.join("migrated"), "another").expect("written");
    let output = refused(&["--port", "0", "--data-dir", &path]);
    assert!(!output.status.success());
    assert!(printed(&output).contains("was created by another version of the schema; pass --fresh"), "{}", printed(&output));
}

#[tokio::test]
async fn a_database_that_exists_is_used_instead_of_an_embedded_one() {
    let database = Own::start(&Own::folder("database"), &["--workers", "0"]);
    let db_url = database.dev()["db_url"].as_str().expect("a URL").to_owned();
    let mut own = Own::start_with(&Own::folder("guest"), &[], &[("NOFX_DB_URL", &db_url)]);
    let dev = own.dev();
    assert_eq!((dev["db_url"].as_str(), dev["pids"]["postgres"].as_i64()), (Some(db_url.as_str()), Some(0)));
    let run = own.run(&serde_json::json!({"goal": "guest", "steps": [{"name": "a", "tool": "noop"}]})).await;
    assert_eq!(run["status"], "succeeded", "{run}");

    let metrics = nofx_shared::net::client().get(dev["metrics_url"].as_str().expect("a URL")).send().await.expect("the worker answers");
    assert!(metrics.text().await.expect("text").contains("nofx_queue_latency_seconds_count 1"), "the worker's metrics");
    own.stop();
    assert!(processes(&database.dev()).iter().all(|pid| Own::lives(*pid)), "the database is left alone");
}

/// The requests of a worker to its ECS agent, in order.
async fn agent() -> (String, std::sync::Arc<std::sync::Mutex<Vec<Value>>>) {
    let requests: std::sync::Arc<std::sync::Mutex<Vec<Value>>> = std::sync::Arc::default();
    let received = std::sync::Arc::clone(&requests);
    let respond = move |axum::Json(request): axum::Json<Value>| async move {
        received.lock().expect("not poisoned").push(request);
        axum::Json(serde_json::json!({"protection": {}}))
    };
    let router = axum::Router::new().route("/api/task/task-protection/v1/state", axum::routing::put(respond));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/api/task", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, requests)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_holds_leases_is_protected_from_scaling_in() {
    let (url, requests) = agent().await;
    let mut own = Own::start_with(&Own::folder("protect"), &[], &[("ECS_AGENT_URI", &url)]);
    assert!(requests.lock().expect("not poisoned").is_empty(), "an idle worker may go");
    let done = own.dir.join("done");
    own.submit(&plan(vec![bash("a", &until(&done))])).await;
    let becomes = async |wanted: &[bool]| {
        let begun = std::time::Instant::now();
        loop {
            let protected: Vec<bool> = requests.lock().expect("not poisoned").iter().map(|one| one["ProtectionEnabled"] == true).collect();
            if protected == wanted {
                return;
            }
            assert!(begun.elapsed() < WAIT_LIMIT, "{protected:?}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    becomes(&[true]).await;
    std::fs::write(done, "").expect("written");
    becomes(&[true, false]).await;
    own.stop();
}
