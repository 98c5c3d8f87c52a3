//! What becomes of the steps of a worker that stops, dies or is held up.

use nofx_tests::WAIT_LIMIT;
use std::time::Duration;

use nix::sys::signal::Signal;
use nofx_tests::own::{Own, is_finished};
use nofx_tests::plans::{open_folder, until};
use nofx_tests::stack::workspace_in;
use serde_json::{Value, json};

/// For tests in which many leases expire: half a minute for each would take too long.
const SHORT: &[(&str, &str)] = &[("NOFX_LEASE_S", "3")];

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_killed_in_the_middle_goes_on_where_it_was() {
    let dir = Own::folder("restart");
    let mut own = Own::start(&dir, &["--workers", "1"]);
    let go = dir.join("go");
    let plan = json!({"goal": "restart", "steps": [
        {"name": "ask", "tool": "manual:look", "needs": []}, {"name": "gated", "tool": "noop", "needs": ["ask"]},
        {"name": "slow", "tool": "bash", "needs": [], "inputs": {"script": until(&go)}}]});
    let id = own.submit(&plan).await;
    let step = |run: &Value, name: &str| {
        run["steps"].as_array().and_then(|steps| steps.iter().find(|step| step["name"] == name)).cloned().unwrap_or_default()
    };
    own.wait(&id, |run| step(run, "ask")["status"] == "waiting" && step(run, "slow")["status"] == "running").await;
    let worker = own.dev()["pids"]["workers"][0].as_i64().unwrap_or(0);
    own.process.kill().expect("killed");
    own.process.wait().expect("it ended");
    Own::kill(worker, Signal::SIGKILL);

    std::fs::write(go, "").expect("written");
    let own = Own::start(&dir, &["--workers", "1"]);
    own.end_leases("true").await;
    let run = own.wait(&id, |run| step(run, "slow")["status"] == "succeeded").await;
    assert_eq!(step(&run, "slow")["attempt"], 2, "the expired attempt was not the last");
    assert_eq!((step(&run, "ask")["status"].as_str(), step(&run, "gated")["status"].as_str()), (Some("waiting"), Some("pending")));
    let gate = run["gates"][0]["id"].as_str().expect("a gate").to_owned();
    own.call(reqwest::Method::POST, &format!("/api/gates/{gate}/approve"), Some(&json!({}))).await.expect("approved");
    let run = own.wait(&id, is_finished).await;
    assert_eq!((run["status"].as_str(), step(&run, "gated")["status"].as_str()), (Some("succeeded"), Some("succeeded")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_steps_of_a_worker_that_is_stopped_are_interrupted_and_run_again() {
    let own = Own::start(&Own::folder("drain"), &["--workers", "1"]);
    let folder = open_folder();
    let again = folder.path().join("again");
    let script = format!("if [ -e {} ]; then echo again; else touch mark; sleep 60; fi", again.display());
    let plan = json!({"goal": "drain", "steps": [{"name": "long", "tool": "bash", "inputs": {"script": script}}, {"name": "after", "tool": "noop"}]});
    let id = own.submit(&plan).await;
    own.wait(&id, |run| run["steps"][0]["status"] == "running").await;
    let begun = std::time::Instant::now();
    while !workspace_in(&own.dir, &id).join("mark").exists() {
        assert!(begun.elapsed() < WAIT_LIMIT, "the script does not begin");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    std::fs::write(again, "").expect("written");
    Own::kill(own.dev()["pids"]["workers"][0].as_i64().unwrap_or(0), Signal::SIGTERM);
    // While its step goes on, a worker that drains is healthy and shows its figures.
    let metrics = own.dev()["metrics_url"].as_str().expect("a URL").to_owned();
    for _ in 0..10 {
        let shown = nofx_shared::net::client().get(&metrics).send().await;
        let run = own.call(reqwest::Method::GET, &format!("/api/runs/{id}"), None).await.expect("the run");
        if run["steps"][0]["status"] != "running" || run["steps"][0]["attempt"] != 1 {
            break;
        }
        assert!(shown.is_ok_and(|response| response.status().is_success()), "{metrics} does not answer");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let run = own.wait(&id, is_finished).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    assert_eq!((run["steps"][0]["attempt"].as_u64(), run["steps"][1]["attempt"].as_u64()), (Some(2), Some(1)), "{run}");
    let rows = own.sql().await.query_one("select count(*) from nofx.event where type = 'step.interrupted'", &[]).await.expect("a count");
    assert_eq!(rows.get::<_, i64>(0), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_kills_two_workers_gets_no_third() {
    let own = Own::start_with(&Own::folder("poison"), &["--workers", "2"], SHORT);
    let script = "touch begun; sleep 600";
    let plan =
        json!({"goal": "poison", "steps": [{"name": "p", "tool": "bash", "retry": {"max_attempts": 5}, "inputs": {"script": script}}]});
    let id = own.submit(&plan).await;
    for attempt in 1..=2 {
        own.wait(&id, |run| run["steps"][0]["attempt"] == attempt && run["steps"][0]["status"] == "running").await;
        let since = std::time::Instant::now();
        while !workspace_in(&own.dir, &id).join("begun").exists() {
            assert!(since.elapsed() < WAIT_LIMIT, "attempt {attempt} does not begin");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        for worker in own.dev()["pids"]["workers"].as_array().expect("workers") {
            Own::kill(worker.as_i64().unwrap_or(0), Signal::SIGKILL);
        }
    }
    let run = own.wait(&id, is_finished).await;
    assert_eq!(
        (run["status"].as_str(), run["error"]["message"].as_str()),
        (Some("failed"), Some("the lease expired 2 times (worker crashed or unreachable)")),
        "{run}"
    );
    let dlq = own.call(reqwest::Method::GET, "/api/dlq", None).await.expect("an answer");
    assert_eq!((dlq["data"][0]["reason"].as_str(), dlq["data"][0]["attempts"].as_u64()), (Some("poison"), Some(2)), "{dlq}");
    let count = "select count(*) from nofx.step_attempt where outcome = 'lease_expired'";
    let rows = own.sql().await.query_one(count, &[]).await.expect("a count");
    assert_eq!(rows.get::<_, i64>(0), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lease_of_a_step_whose_row_is_locked_for_a_while_does_not_expire() {
    let own = Own::start(&Own::folder("locked"), &["--workers", "1"]);
    let go = own.dir.join("go");
    let script = format!("{}; echo whole", until(&go));
    let steps = ["locked", "free"].map(|name| json!({"name": name, "tool": "bash", "needs": [], "inputs": {"script": script}}));
    let id = own.submit(&json!({"goal": "locked", "steps": steps})).await;
    let is_running = |run: &Value| run["steps"].as_array().is_some_and(|steps| steps.iter().all(|step| step["status"] == "running"));
    own.wait(&id, is_running).await;
    // The lock of an artifact's foreign key does not block a heartbeat. A heartbeat skips the lock of a settle.
    let sql = own.sql().await;
    for (lock, is_extended) in [("for key share", true), ("for update", false)] {
        sql.batch_execute(&format!("begin; select from nofx.step where name = 'locked' {lock}")).await.expect("a lock");
        let before = leases(&sql).await;
        let begun = std::time::Instant::now();
        let after = loop {
            let after = leases(&sql).await;
            if after[0] != before[0] {
                break after;
            }
            assert!(begun.elapsed() < WAIT_LIMIT, "no heartbeat comes");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert_eq!(after[1] != before[1], is_extended, "{lock}");
        sql.batch_execute("commit").await.expect("no lock");
    }
    std::fs::write(go, "").expect("written");
    let run = own.wait(&id, is_finished).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    for step in run["steps"].as_array().expect("steps") {
        assert_eq!((step["status"].as_str(), step["attempt"].as_u64()), (Some("succeeded"), Some(1)), "{run}");
    }
}

/// When the leases of the steps expire, ordered by name.
async fn leases(sql: &tokio_postgres::Client) -> Vec<Option<std::time::SystemTime>> {
    let rows = sql.query("select lease_expires_at from nofx.step order by name", &[]).await.expect("steps");
    rows.iter().map(|row| row.get(0)).collect()
}
