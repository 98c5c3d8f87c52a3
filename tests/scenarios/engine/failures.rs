use std::time::Instant;

use chrono::{DateTime, Utc};
use nofx_tests::Tenant;
use nofx_tests::people::{service, status, step};
use nofx_tests::plans::{bash, plan, step as make, until};
use nofx_tests::stack::workspace;
use serde_json::{Value, json};

#[tokio::test]
async fn a_failed_need_never_leaves_a_run_hanging() {
    let person = Tenant::new().await.contributor();
    for (policy, run_status, dependant) in
        [("fail", "failed", "skipped"), ("continue", "succeeded", "succeeded"), ("skip", "succeeded", "skipped")]
    {
        let run = person
            .run(plan(vec![
                json!({"name": "bad", "tool": "fail", "needs": [], "on_failure": policy}),
                make("after", "noop", &["bad"], json!({})),
                make("end", "noop", &["after"], json!({})),
            ]))
            .await;
        assert_eq!((run["status"].as_str(), status(&run, "end")), (Some(run_status), dependant), "{policy}");
    }
}

#[tokio::test]
async fn a_failed_script_says_why_and_a_silent_one_leaves_no_log() {
    let person = Tenant::new().await.contributor();
    // More than its log can hold, a secret across the lines, and bytes that are no text.
    let loud = r"head -c 5000000 /dev/zero | tr '\0' o; head -c 5000000 /dev/zero | tr '\0' e >&2; echo >&2;
        for n in $(seq 30); do echo line $n >&2; done; printf '\033[31mit is \377%s\033[0m\n' $TEST_TOKEN >&2; exit 3";
    let script = |name: &str, script: &str| json!({"name": name, "tool": "bash", "needs": [], "on_failure": "continue", "secrets": ["TEST_TOKEN"], "inputs": {"script": script}});
    let run = person.run(plan(vec![script("loud", loud), script("silent", "exit 4"), script("good", ": > x")])).await;
    let details = &step(&run, "loud")["error"]["details"];
    let lines: Vec<&str> = details["stderr"].as_str().expect("lines").lines().collect();
    assert_eq!((details["exit_code"].as_i64(), lines.len(), lines[0]), (Some(3), 20, "line 12"), "{details}");
    assert_eq!(lines[19], "it is \u{fffd}***");
    assert_eq!(step(&run, "silent")["error"]["details"], json!({"exit_code": 4, "output": ""}));
    let logs: Vec<&Value> = run["artifacts"].as_array().expect("artifacts").iter().map(|artifact| &artifact["step_id"]).collect();
    assert_eq!(logs, [&step(&run, "loud")["id"]], "an empty log is no artifact");
}

#[tokio::test]
async fn a_timeout_kills_the_work() {
    let person = Tenant::new().await.contributor();
    let mark = format!("nofx-timeout-{}", uuid::Uuid::now_v7());
    let script = format!("touch begun; (sleep 600; echo {mark}) & wait");
    let mut timeout_s = 2;
    let mut has_begun = false;
    // The limit is doubled as long as it had passed before the script started.
    while !has_begun {
        let run =
            person.run(plan(vec![json!({"name": "slow", "tool": "bash", "timeout_s": timeout_s, "inputs": {"script": script}})])).await;
        assert_eq!(status(&run, "slow"), "timed_out", "{run}");
        has_begun = workspace(run["id"].as_str().expect("an id")).join("begun").exists();
        timeout_s *= 2;
    }
    assert!(!is_running(&mark), "a process of the step is still there");
}

#[tokio::test]
async fn a_cancel_reaches_the_running_process() {
    let person = Tenant::new().await.contributor();
    let mark = format!("nofx-cancel-{}", uuid::Uuid::now_v7());
    let id =
        person.submit(plan(vec![bash("slow", &format!("exec -a {mark} sleep 600")), make("after", "noop", &["slow"], json!({}))])).await;
    person.wait(&id, |run| status(run, "slow") == "running").await;
    let begin = Instant::now();
    while !is_running(&mark) {
        assert!(begin.elapsed().as_secs() < 60, "it never began");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let asked = Instant::now();
    assert_eq!(person.post(&format!("/api/runs/{id}/cancel"), json!({"reason": "enough"})).await.0, 200);
    while is_running(&mark) {
        assert!(asked.elapsed().as_secs() < 60, "the process runs on");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let run = person.end(&id).await;
    assert_eq!((run["status"].as_str(), status(&run, "slow"), status(&run, "after")), (Some("cancelled"), "cancelled", "cancelled"));
}

fn is_running(mark: &str) -> bool {
    let Ok(entries) = std::fs::read_dir("/proc") else { return false };
    entries.flatten().any(|entry| {
        entry.file_name().to_string_lossy().chars().all(|c| c.is_ascii_digit())
            && std::fs::read(entry.path().join("cmdline")).is_ok_and(|text| String::from_utf8_lossy(&text).contains(mark))
    })
}

#[tokio::test]
async fn every_handlers_failure_ends_its_step() {
    let person = Tenant::new().await.contributor();
    let cases = [
        ("fail", json!({})),
        ("bash", json!({"script": "exit 4"})),
        ("bash", json!({"argv": ["/no/such/program"]})),
        ("bash", json!({})),
        ("bash", json!({"script": "true", "cwd": "/tmp"})),
        ("bash", json!({"script": "true", "artifacts": ["/etc/hostname"]})),
        ("http", json!({"url": "http://127.0.0.1:1/"})),
        ("http", json!({"url": "nonsense"})),
        ("gate:unit", json!({})),
        ("gate:typecheck", json!({"command": "false"})),
        ("sleep", json!({"seconds": -1})),
        ("noop", json!({"x": "${{ 1 / 0 }}"})),
    ];
    let steps = cases
        .iter()
        .enumerate()
        .map(|(n, (tool, inputs))| json!({"name": format!("s{n}"), "tool": tool, "needs": [], "inputs": inputs, "on_failure": "skip"}));
    let run = person.run(plan(steps.collect())).await;
    for (n, case) in cases.iter().enumerate() {
        assert_eq!(status(&run, &format!("s{n}")), "failed", "{:?}", case);
        assert!(step(&run, &format!("s{n}"))["error"]["message"].is_string());
    }
}

#[tokio::test]
async fn attempts_that_run_out_keep_the_whole_error_chain() {
    let person = Tenant::new().await.contributor();
    let retry = json!({"max_attempts": 3, "initial_ms": 10});
    let run = person
        .run(plan(vec![json!({"name": "flaky", "tool": "fail", "inputs": {"transient": true, "message": "not yet"}, "retry": retry})]))
        .await;
    let chain = step(&run, "flaky")["error"]["chain"].as_array().expect("a chain").len();
    assert_eq!((status(&run, "flaky"), step(&run, "flaky")["attempt"].as_u64(), chain), ("failed", Some(3), 3));
}

#[tokio::test]
async fn the_next_attempt_waits_as_long_as_the_plan_says() {
    let person = Tenant::new().await.contributor();
    let retry = json!({"max_attempts": 4, "initial_ms": 100, "factor": 3, "max_ms": 500, "jitter": 0});
    let plan = plan(vec![json!({"name": "flaky", "tool": "fail", "inputs": {"transient": true}, "retry": retry})]);
    // However often timers are fired.
    let look = async {
        loop {
            service().call::<_, Value>("fire_timers", &json!({})).await.expect("a look");
        }
    };
    let run = tokio::select! { run = person.run(plan) => run, () = look => unreachable!() };
    let (_, page) = person.get(&format!("/api/runs/{}/timeline", run["id"].as_str().expect("an id"))).await;
    let emitted = |kind: &'static str| page["data"].as_array().expect("events").iter().filter(move |event| event["type"] == kind);
    let at = |instant: &Value| instant.as_str().expect("an instant").parse::<DateTime<Utc>>().expect("a time");
    // Only the database's clock counts: what it wrote at each failure, and when it made the step ready again.
    let waits: Vec<i64> =
        emitted("step.retry_scheduled").map(|event| (at(&event["data"]["until"]) - at(&event["time"])).num_milliseconds()).collect();
    assert_eq!(waits, [100, 300, 500], "{page}");
    let due = emitted("step.retry_scheduled").map(|event| at(&event["data"]["until"]));
    let ready: Vec<_> = emitted("step.started").skip(1).map(|event| at(&event["data"]["ready_at"])).collect();
    assert!(ready.len() == 3 && due.zip(ready).all(|(due, ready)| ready >= due), "an attempt came too early: {page}");
}

#[tokio::test]
async fn a_step_that_does_better_later_succeeds() {
    let person = Tenant::new().await.contributor();
    let retry = json!({"max_attempts": 5, "initial_ms": 10});
    let run = person
        .run(plan(vec![json!({"name": "flaky", "tool": "fail", "inputs": {"transient": true, "until_attempt": 3}, "retry": retry})]))
        .await;
    assert_eq!((run["status"].as_str(), step(&run, "flaky")["attempt"].as_u64()), (Some("succeeded"), Some(3)));
}

#[tokio::test]
async fn a_finished_run_never_changes_again_except_by_retry() {
    let person = Tenant::new().await.contributor();
    let run = person.run(plan(vec![make("bad", "fail", &[], json!({})), make("after", "noop", &["bad"], json!({}))])).await;
    let id = run["id"].as_str().expect("an id").to_owned();
    for verb in ["cancel", "pause", "resume"] {
        assert_eq!(person.post(&format!("/api/runs/{id}/{verb}"), json!({})).await.0, 409, "{verb}");
    }
    assert_eq!(person.post(&format!("/api/runs/{id}/retry"), json!({})).await.0, 200);
    let again = person.end(&id).await;
    assert_eq!((again["status"].as_str(), step(&again, "bad")["attempt"].as_u64()), (Some("failed"), Some(2)));
    assert!(person.run_events(&id).await.contains(&"run.retried".to_owned()));
}

#[tokio::test]
async fn a_retried_run_continues_with_the_children_that_are_left() {
    let person = Tenant::new().await.contributor();
    let folder = tempfile::tempdir().expect("a folder");
    let (begun, go) = (folder.path().join("begun"), folder.path().join("go"));
    let mut plan = plan(vec![
        json!({"name": "bad", "tool": "bash", "needs": [], "retry": {"max_attempts": 1},
            "inputs": {"script": format!("{}; [ -e {} ]", until(&begun), go.display())}}),
        json!({"name": "each", "tool": "bash", "needs": [], "for_each": "[0, 1]", "inputs": {"script": until(&go)}}),
    ]);
    // The second child cannot start before the run has failed.
    plan["max_parallel"] = json!(2);
    let id = person.submit(plan).await;
    person.wait(&id, |run| run["steps"].as_array().is_some_and(|steps| steps.len() == 4) && status(run, "each[0]") == "running").await;
    std::fs::write(begun, "").expect("written");
    person.wait(&id, |run| status(run, "bad") == "failed").await;
    std::fs::write(go, "").expect("written");
    let run = person.end(&id).await;
    assert_eq!(["each", "each[0]", "each[1]"].map(|name| status(&run, name)), ["skipped", "succeeded", "skipped"], "{run}");

    assert_eq!(person.post(&format!("/api/runs/{id}/retry"), json!({})).await.0, 200);
    let run = person.end(&id).await;
    assert_eq!(["bad", "each", "each[1]"].map(|name| status(&run, name)), ["succeeded"; 3], "{run}");
    assert_eq!(step(&run, "each")["outputs"].as_array().map(Vec::len), Some(2), "{run}");
    let emitted = person.run_events(&id).await;
    assert_eq!(emitted.iter().filter(|event| *event == "step.started each[0]").count(), 1, "it keeps its result: {emitted:?}");
}

#[tokio::test]
async fn every_attempt_of_a_step_has_the_same_idempotency_key() {
    let person = Tenant::new().await.contributor();
    let script = "echo \"$NOFX_IDEMPOTENCY_KEY\" >&2; exit 1";
    let step_of = json!({"name": "pay", "tool": "bash", "idempotency_key": "pay-${{ run.id }}", "inputs": {"script": script},
        "retry": {"max_attempts": 2, "initial_ms": 10}});
    let run = person.run(plan(vec![step_of])).await;
    let key = format!("pay-{}", run["id"].as_str().expect("an id"));
    let chain = step(&run, "pay")["error"]["chain"].as_array().cloned().unwrap_or_default();
    let keys: Vec<&str> = chain.iter().filter_map(|error| error["details"]["stderr"].as_str()).map(str::trim).collect();
    assert_eq!(keys, [key.as_str(); 2], "{run}");
}
