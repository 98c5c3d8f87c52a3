//! Workers that die while a function executes their step.

use std::time::Duration;

use nix::sys::signal::Signal;
use nofx_tests::own::{Own, is_finished};
use nofx_tests::receiver::Receiver;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_function_executes_a_step_once_when_its_worker_is_killed_meanwhile() {
    let receiver = Receiver::start().await;
    receiver.always(200, "paid", Duration::from_secs(5));
    let own = Own::start_with(&Own::folder("function-killed"), &["--workers", "1"], &[("NOFX_ALLOW_PRIVATE_ADDRESSES", "true")]);
    let pay = json!({"name": "pay", "tool": "http", "driver": "vercel-function", "inputs": {"url": receiver.url, "method": "POST"}});
    let id = own.submit(&json!({"goal": "pay", "steps": [pay]})).await;
    receiver.wait(1).await;
    Own::kill(own.dev()["pids"]["workers"][0].as_i64().unwrap_or(0), Signal::SIGKILL);
    own.end_leases("true").await;
    let run = own.wait(&id, is_finished).await;
    let paid = &run["steps"][0];
    assert_eq!(
        (run["status"].as_str(), &paid["attempt"], &paid["outputs"]["body"]),
        (Some("succeeded"), &json!(2), &json!("paid")),
        "{run}"
    );
    assert_eq!(paid["attempts"][0]["outcome"], "lease_expired", "{run}");
    assert_eq!(receiver.received().len(), 1, "the second attempt got the answer of the first");
}
