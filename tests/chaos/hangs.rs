//! What becomes of a worker that does not end and does nothing.

use nofx_tests::WAIT_LIMIT;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nofx_tests::own::{Own, is_finished};
use nofx_tests::plans::open_folder;
use nofx_tests::stack::workspace_in;
use serde_json::{Value, json};

/// The worker that this supervisor has started.
fn worker_of(supervisor: i64) -> i64 {
    let children = std::fs::read_to_string(format!("/proc/{supervisor}/task/{supervisor}/children")).expect("children");
    let is_worker = |pid: &&str| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.starts_with(b"nofx-worker-confined\0")
    };
    children.split_whitespace().find(is_worker).and_then(|pid| pid.parse().ok()).expect("it has a worker")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stands_still_is_ended_and_its_steps_run_elsewhere() {
    let own = Own::start(&Own::folder("hang"), &["--workers", "1"]);
    let folder = open_folder();
    let again = folder.path().join("again");
    let script = format!("if [ -e {} ]; then echo again; else touch mark; exec sleep 600; fi", again.display());
    let id = own.submit(&json!({"goal": "hang", "steps": [{"name": "long", "tool": "bash", "inputs": {"script": script}}]})).await;
    let begun = Instant::now();
    while !workspace_in(&own.dir, &id).join("mark").exists() {
        assert!(begun.elapsed() < WAIT_LIMIT, "the script does not begin");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    std::fs::write(again, "").expect("written");
    let supervisor = |dev: &Value| dev["pids"]["workers"][0].as_i64().unwrap_or(0);
    let hung = supervisor(&own.dev());
    let worker = worker_of(hung);
    let keepers = std::fs::read_to_string(format!("/proc/{hung}/task/{hung}/children")).expect("children");
    assert!(keepers.split_whitespace().count() > 1, "the step has a keeper: {keepers}");
    Own::kill(worker, Signal::SIGSTOP);
    while supervisor(&own.dev()) == hung || !Own::lives(supervisor(&own.dev())) {
        assert!(begun.elapsed() < WAIT_LIMIT, "it is not ended and started again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for pid in keepers.split_whitespace().filter_map(|pid| pid.parse().ok()).chain([worker, hung]) {
        assert!(!Own::lives(pid), "{pid} of the worker that hung goes on");
    }
    own.end_leases("true").await;
    let run = own.wait(&id, is_finished).await;
    assert_eq!((run["status"].as_str(), run["steps"][0]["attempt"].as_u64()), (Some("succeeded"), Some(2)), "{run}");
    assert_eq!(run["steps"][0]["outputs"]["stdout"], "again\n", "{run}");
}
