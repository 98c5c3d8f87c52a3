//! The disk of workspaces is bounded, and nothing that a run needs is lost by it.

use nofx_tests::WAIT_LIMIT;
use std::time::{Duration, Instant};

use nofx_tests::own::{Own, is_finished};
use nofx_tests::plans::until;
use nofx_tests::stack::workspace_in;
use reqwest::Method;
use serde_json::{Value, json};

fn bash(name: &str, script: &str, more: &Value) -> Value {
    let mut step = json!({"name": name, "tool": "bash", "inputs": {"script": script}, "retry": {"max_attempts": 1}});
    step.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    step
}

/// Writes three MiB.
const FILL: &str = "head -c 3145728 /dev/urandom > big";

/// A run that keeps them until a person decides, and needs them then.
fn parked() -> Value {
    let rest = json!({"needs": ["ask"]});
    json!({"goal": "parked", "steps": [bash("fill", FILL, &json!({})), {"name": "ask", "tool": "manual:x", "needs": ["fill"]},
        bash("use", "test $(stat -c %s big) = 3145728", &rest)]})
}

async fn ask(own: &Own) -> String {
    let id = own.submit(&parked()).await;
    own.wait(&id, |run| run["gates"][0]["status"] == "pending").await;
    id
}

async fn approve(own: &Own, id: &str) {
    let run = own.wait(id, |_| true).await;
    let path = format!("/api/gates/{}/approve", run["gates"][0]["id"].as_str().expect("an id"));
    own.call(Method::POST, &path, Some(&json!({"reason": "go on"}))).await.expect("approved");
    let run = own.wait(id, is_finished).await;
    assert_eq!(run["status"], "succeeded", "its files were there: {run}");
}

/// Waits until this is so and the worker has measured this many workspaces; returns their bytes.
async fn measured(own: &Own, count: usize, is_so: impl Fn() -> bool) -> u64 {
    let dev = own.dev();
    let url = dev["metrics_url"].as_str().expect("a URL");
    let begun = Instant::now();
    loop {
        let text = nofx_shared::net::client().get(url).send().await.expect("an answer").text().await.expect("text");
        let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        if is_so() && value("nofx_workspaces ") == Some(count as f64) {
            return value("nofx_workspace_disk_bytes ").expect("bytes") as u64;
        }
        assert!(begun.elapsed() < WAIT_LIMIT, "{:?} workspaces", value("nofx_workspaces "));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workspaces_go_when_the_disk_is_full_and_a_run_that_waits_has_its_files_again() {
    // At L1 steps may leave files beside their workspace, which go with it.
    let settings = [("NOFX_WORKSPACES_MB", "8"), ("NOFX_ISOLATION_FLOOR", "L1")];
    let own = Own::start_with(&Own::folder("disk"), &["--workers", "1"], &settings);
    let mark = uuid::Uuid::now_v7().simple().to_string();
    let left = |n: usize| ["/tmp", "/var/tmp", "/dev/shm"].map(|folder| std::path::PathBuf::from(format!("{folder}/left-{mark}-{n}")));
    let first = ask(&own).await;
    for n in 0..2 {
        let names = left(n).map(|path| path.display().to_string()).join(" ");
        let script = format!(
            "{FILL}; for left in {names}; do mkdir -p $left/deep/er; echo x > $left/deep/er/file; chmod 0 $left/deep; test -d $left; done"
        );
        let ended = own.submit(&json!({"goal": "x", "steps": [bash("fill", &script, &json!({}))]})).await;
        assert_eq!(own.wait(&ended, is_finished).await["status"], "succeeded");
    }
    // Three do not fit: one whose run has ended goes.
    let bytes = measured(&own, 2, || true).await;
    assert!((6 << 20..8 << 20).contains(&bytes), "two of three are left: {bytes}");
    assert!(left(0).iter().all(|path| !path.exists()) && left(1).iter().all(|path| path.is_dir()), "whoever gets its user finds nothing");
    assert!(workspace_in(&own.dir, &first).exists());

    // Then the oldest, although its run waits.
    let (second, third) = (ask(&own).await, ask(&own).await);
    let bytes = measured(&own, 2, || !workspace_in(&own.dir, &first).exists()).await;
    assert!(left(1).iter().all(|path| !path.exists()));
    assert!((6 << 20..8 << 20).contains(&bytes), "two of four are left: {bytes}");
    for id in [&first, &second, &third] {
        approve(&own, id).await;
    }

    // What a step uses does not go; no other step gets room meanwhile.
    let go = own.dir.join("go");
    let script = format!("{FILL}; cat big big big > bigger; {}", until(&go));
    let large = own.submit(&json!({"goal": "x", "steps": [bash("large", &script, &json!({}))]})).await;
    let begun = Instant::now();
    while measured(&own, 1, || true).await < 8 << 20 {
        assert!(begun.elapsed() < WAIT_LIMIT, "it does not grow");
    }
    let refused = own.run(&json!({"goal": "x", "steps": [bash("go", "true", &json!({}))]})).await;
    let message = refused["steps"][0]["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("NOFX_WORKSPACES_MB is 8"), "{refused}");
    std::fs::write(go, "").expect("written");
    assert_eq!(own.wait(&large, is_finished).await["status"], "succeeded");
    measured(&own, 0, || true).await;
    let run = own.run(&json!({"goal": "x", "steps": [bash("go", "true", &json!({}))]})).await;
    assert_eq!(run["status"], "succeeded", "there is room again");
}
