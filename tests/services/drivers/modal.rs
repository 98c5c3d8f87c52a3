//! What Modal is asked for, and what happens when it fails.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nofx_tests::WAIT_LIMIT;
use nofx_tests::own::{Own, is_finished};
use nofx_tests::people::step;
use nofx_tests::stack::worker_of;
use reqwest::Method;
use serde_json::{Value, json};

use super::stack::{MODAL, Stack, bash, mark};

async fn tried(stack: &Stack, script: &str, more: &Value) -> Value {
    let run = stack.step(&bash(MODAL, script, more)).await;
    step(&run, "try").clone()
}

fn message(step: &Value) -> &str {
    step["error"]["message"].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_is_asked_for_as_the_plan_says_and_tagged() {
    let stack = Stack::start("modal-asked", &[MODAL]).await;
    let more = json!({"image": "rust:1.95", "timeout_s": 60, "resources": {"network": "none", "memory_mb": 700}});
    let run = stack.step(&bash(MODAL, "echo ran", &more)).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    tried(&stack, "echo ran", &json!({})).await;
    let created = stack.modal().created();
    let (named, plain) = (&created[0], &created[1]);
    assert_eq!((&named["has_network"], &named["memory_mb"], &named["timeout_s"]), (&json!(false), &json!(700), &json!(180)), "{named}");
    assert_eq!((&plain["has_network"], &plain["memory_mb"]), (&json!(true), &json!(0)), "{plain}");
    let tags = &named["tags"];
    assert_eq!((&tags["run"], &tags["step"], &tags["attempt"]), (&run["id"], &step(&run, "try")["id"], &json!("1")), "{tags}");
    assert_eq!((&tags["tenant"], &tags["deployment"]), (&json!(stack.own.tenant().await), &plain["tags"]["deployment"]));
    assert!(stack.modal().images().contains(&json!("rust:1.95")), "{:?}", stack.modal().images());

    let refused = tried(&stack, "echo ran", &json!({"resources": {"network": "proxy"}})).await;
    assert!(refused["status"] == "failed" && message(&refused).contains("network"), "{refused}");
    assert_eq!(stack.modal().created().len(), 2, "refused before anything is created");

    let mark = mark("modal");
    let run = stack.own.submit(&json!({"goal": "stay", "steps": [bash(MODAL, &format!("exec -a {mark} sleep 600"), &json!({}))]})).await;
    stack.runs(&run, &mark).await;
    let bridges = bridges();
    assert!(!bridges.is_empty(), "one speaks for the worker");
    for bridge in bridges {
        // It may have ended meanwhile: another test's.
        let Ok(environment) = std::fs::read(bridge.join("environ")) else { continue };
        let text = String::from_utf8_lossy(&environment);
        assert!(!text.contains("as-modal") && !text.contains("ak-modal"), "{text}");
        let status = std::fs::read_to_string(bridge.join("status")).unwrap_or_default();
        let is_workers = status.lines().any(|line| line.starts_with("Uid:\t10001"));
        // Of a process that is not dumpable its files in /proc are root's. One that has just begun knows no token yet.
        let begun = Instant::now();
        while is_workers && bridge.join("environ").metadata().is_ok_and(|file| file.uid() != 0) {
            assert!(begun.elapsed() < WAIT_LIMIT, "others of that user see its memory: {status}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    stack.own.call(Method::POST, &format!("/api/runs/{run}/cancel"), Some(&json!({"reason": "enough"}))).await.expect("cancelled");
    stack.has_no_machine().await;
}

/// Whoever watched the program is gone: nobody knows how far it came.
#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_that_is_killed_fails_the_attempt_and_another_one_ends_its_sandbox() {
    let stack = Stack::start("modal-bridge", &[MODAL]).await;
    // A sandbox has its own `/tmp`, and sees the rest of this machine.
    let folder = tempfile::tempdir_in("/var/tmp").expect("a folder");
    let (flag, mark) = (folder.path().join("again"), mark("modal"));
    let script = format!("[ -e {} ] || exec -a {mark} sleep 600", flag.display());
    let more = json!({"retry": {"max_attempts": 2, "initial_ms": 10}});
    let run = stack.own.submit(&json!({"goal": "stay", "steps": [bash(MODAL, &script, &more)]})).await;
    stack.runs(&run, &mark).await;
    std::fs::write(&flag, "").expect("written");
    let worker = format!("PPid:\t{}\n", worker_of(&stack.own.dev()["pids"]["workers"][0]));
    let is_ours = |process: &PathBuf| std::fs::read_to_string(process.join("status")).is_ok_and(|status| status.contains(&worker));
    let ours: Vec<PathBuf> = bridges().into_iter().filter(is_ours).collect();
    assert_eq!(ours.len(), 1, "one account, one bridge");
    let pid = ours[0].file_name().and_then(|name| name.to_str()?.parse().ok()).expect("a process");
    Own::kill(pid, Signal::SIGKILL);
    let run = stack.own.wait(&run, is_finished).await;
    let fine = step(&run, "try");
    assert_eq!((&fine["status"], fine["attempts"].as_array().map(Vec::len)), (&json!("succeeded"), Some(2)), "{fine}");
    let failed = &fine["attempts"][0]["error"]["message"];
    assert!(failed.as_str().is_some_and(|text| text.contains("bridge to Modal")), "{fine}");
    stack.is_gone(&mark).await;
    stack.has_no_machine().await;
    assert_eq!(stack.modal().created().len(), 2, "a sandbox for each attempt");
}

/// The processes that speak to Modal, of all workers of this machine.
fn bridges() -> Vec<PathBuf> {
    let is_bridge = |process: &PathBuf| {
        let line = std::fs::read(process.join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains("Speaks to Modal for a worker")
    };
    std::fs::read_dir("/proc").expect("processes").flatten().map(|entry| entry.path()).filter(is_bridge).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_modal_are_retried_when_nothing_can_happen_twice() {
    let stack = Stack::start("modal-faults", &[MODAL]).await;
    let once = json!({"retry": {"max_attempts": 1}});
    let twice = json!({"retry": {"max_attempts": 2, "initial_ms": 10}});

    for fault in ["busy", "cut-stream"] {
        stack.modal().will(fault);
        let fine = tried(&stack, "echo '{\"v\": 1}' > $NOFX_OUTPUT; echo out", &once).await;
        assert_eq!((&fine["status"], &fine["outputs"]["v"]), (&json!("succeeded"), &json!(1)), "{fault}: {fine}");
    }
    stack.modal().will("early-death");
    let fine = tried(&stack, "sleep 1", &twice).await;
    assert_eq!((&fine["status"], fine["attempts"].as_array().map(Vec::len)), (&json!("succeeded"), Some(2)), "{fine}");
    stack.has_no_machine().await;

    // Nothing of this can succeed.
    stack.modal().will("denied");
    let refused = tried(&stack, "echo ran", &twice).await;
    assert!(refused["status"] == "failed" && message(&refused).contains("Token not found"), "{refused}");
    assert_eq!(refused["attempts"].as_array().map(Vec::len), Some(1), "{refused}");
    let refused = tried(&stack, "echo ran", &json!({"image": "missing:1"})).await;
    assert!(refused["status"] == "failed" && message(&refused).contains("there is no such image"), "{refused}");
    assert_eq!(refused["attempts"].as_array().map(Vec::len), Some(1), "{refused}");
    stack.has_no_machine().await;
}

/// What was made is found by its tags, and ends with the attempt.
#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_whose_creation_is_never_answered_is_ended_with_its_attempt() {
    let stack = Stack::start("modal-lost", &[MODAL]).await;
    stack.modal().will("lost-create");
    let run = stack.own.submit(&json!({"goal": "lost", "steps": [bash(MODAL, "echo ran", &json!({}))]})).await;
    let begun = std::time::Instant::now();
    while stack.modal().alive() == 0 {
        assert!(begun.elapsed().as_secs() < 60, "nothing is created");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    stack.own.call(Method::POST, &format!("/api/runs/{run}/cancel"), Some(&json!({"reason": "enough"}))).await.expect("cancelled");
    stack.has_no_machine().await;
    let run = stack.own.wait(&run, is_finished).await;
    assert_eq!((&run["status"], stack.modal().created().len()), (&json!("cancelled"), 1), "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_whose_sdk_is_missing_says_so() {
    let settings = [("NOFX_MODAL_PYTHON", "/nonexistent/python"), ("MODAL_TOKEN_ID", "a"), ("MODAL_TOKEN_SECRET", "b")];
    let stack = Stack::start_with("modal-without", &[], &settings).await;
    let refused = tried(&stack, "echo ran", &json!({})).await;
    assert!(refused["status"] == "failed" && message(&refused).contains("/nonexistent/python"), "{refused}");
    let settings = [("NOFX_MODAL_PYTHON", "/usr/bin/python3"), ("MODAL_TOKEN_ID", "a"), ("MODAL_TOKEN_SECRET", "b")];
    let stack = Stack::start_with("modal-other", &[], &settings).await;
    let refused = tried(&stack, "echo ran", &json!({"retry": {"max_attempts": 1}})).await;
    assert!(refused["status"] == "failed" && message(&refused).contains("No module named 'modal'"), "{refused}");
}
