//! What runs is ended when nobody waits for it any more: its run is cancelled, or its worker is gone.

use nix::sys::signal::Signal;
use nofx_tests::own::{Own, is_finished};
use reqwest::Method;
use serde_json::json;

use super::stack::{ALL, Driver, Stack, bash, mark};

async fn begin(stack: &Stack, driver: Driver) -> (String, String) {
    let mark = mark(driver.name);
    let script = format!("(setsid bash -c 'exec -a {mark} sleep 600' &); exec -a {mark} sleep 600");
    let run = stack.own.submit(&json!({"goal": "stay", "steps": [bash(driver, &script, &json!({}))]})).await;
    stack.runs(&run, &mark).await;
    (run, mark)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_cancelled_ends_what_runs() {
    let stack = Stack::start("cancelled", &ALL).await;
    for driver in ALL {
        let (run, mark) = begin(&stack, driver).await;
        stack.own.call(Method::POST, &format!("/api/runs/{run}/cancel"), Some(&json!({"reason": "enough"}))).await.expect("cancelled");
        let run = stack.own.wait(&run, is_finished).await;
        assert_eq!(run["status"], "cancelled", "{}: {run}", driver.name);
        stack.is_gone(&mark).await;
        let at = async |kind: &str| {
            let events = stack.events(&run, kind).await;
            let time = events.first().and_then(|event| event["time"].as_str()).unwrap_or_else(|| panic!("no {kind}")).to_owned();
            chrono::DateTime::parse_from_rfc3339(&time).expect("a time")
        };
        // A heartbeat of 1.5 s at most, and the end of what runs: `nofx bench bombs` measures it. A machine that is busy takes its time; the
        // program would run for ten minutes.
        let took = at("step.cancelled").await - at("run.cancelling").await;
        eprintln!("{}: cancelled in {} ms", driver.name, took.num_milliseconds());
        assert!(took < chrono::TimeDelta::seconds(20), "{}: {took}", driver.name);
    }
    stack.has_no_machine().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_leaves_nothing_that_runs() {
    let stack = Stack::start_with("killed", &ALL, &[("NOFX_LEASE_S", "2")]).await;
    for driver in ALL {
        let (run, mark) = begin(&stack, driver).await;
        // It would run again.
        stack.own.call(Method::POST, &format!("/api/runs/{run}/pause"), Some(&json!({}))).await.expect("paused");
        let worker = stack.own.dev()["pids"]["workers"][0].as_i64().expect("a worker");
        Own::kill(worker, Signal::SIGKILL);
        stack.is_gone(&mark).await;
        stack.own.call(Method::POST, &format!("/api/runs/{run}/cancel"), Some(&json!({"reason": "enough"}))).await.expect("cancelled");
        stack.own.wait(&run, is_finished).await;
    }
    stack.has_no_machine().await;
}
