use std::time::{Duration, Instant};

use nofx_tests::receiver::Receiver;
use nofx_tests::stack::STACK;
use nofx_tests::{Tenant, WAIT_LIMIT};
use serde_json::{Value, json};

/// Steps that call a URL, each in a run of its own.
fn call(url: &str) -> Value {
    json!({"goal": "call", "steps": [{"name": "call", "tool": "http", "retry": {"max_attempts": 3, "initial_ms": 200}, "inputs": {"url": url}}]})
}

#[tokio::test]
async fn a_provider_that_is_down_costs_no_step_more_than_an_attempt_and_recovery_is_quick() {
    let tenant = Tenant::new().await;
    let person = tenant.contributor();
    let receiver = Receiver::start().await;
    tenant.allow_loopback().await;
    receiver.always(503, "down", Duration::ZERO);
    // The first failure opens it: with more, a slow machine might retry the first step before the others start.
    let target = "http:127.0.0.1";
    let (status, answer) = tenant.supervisor().post("/api/breakers", json!({"target": target, "min_volume": 1})).await;
    assert_eq!(status, 200, "{answer}");
    let mut runs = vec![person.submit(call(&receiver.url)).await];
    let waits_for_breaker = |run: &Value| run["steps"][0]["waits_for"] == "breaker";
    person.wait(&runs[0], waits_for_breaker).await;
    // No probe is sent unless the test says so.
    let sql = STACK.sql().await;
    let probe_at = async |when: &str| {
        let set = format!("update nofx.handler_health set probe_at = {when} where tenant_id = $1 and state = 'open'");
        sql.execute(&set, &[&tenant.id]).await.expect("set")
    };
    let keep_open = async || {
        let begun = Instant::now();
        while probe_at("now() + interval '1 hour'").await == 0 {
            assert!(begun.elapsed() < WAIT_LIMIT, "the breaker is not open");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    keep_open().await;
    runs.push(person.submit(call(&receiver.url)).await);
    for run in &runs {
        person.wait(run, waits_for_breaker).await;
    }
    // More probes than steps, so that one of them fails more than once during the outage.
    for _ in 0..3 {
        let before = receiver.received().len();
        assert_eq!(probe_at("now()").await, 1);
        receiver.wait(before + 1).await;
        keep_open().await;
        for run in &runs {
            person.wait(run, waits_for_breaker).await;
        }
    }
    let (_, breakers) = person.get("/api/breakers").await;
    let breaker = &breakers["data"][0];
    assert_eq!((breaker["target"].as_str(), breaker["state"].as_str()), (Some(target), Some("open")), "{breakers}");

    // The first successful probe closes the breaker: all steps continue.
    receiver.always(200, "{}", Duration::ZERO);
    assert_eq!(probe_at("now()").await, 1);
    for run in &runs {
        let run = person.end(run).await;
        assert_eq!(run["status"], "succeeded", "{run}");
    }
    let charged = "select coalesce(max(failures), 0) from nofx.step where tenant_id = $1";
    let charged: i32 = sql.query_one(charged, &[&tenant.id]).await.expect("a number").get(0);
    assert!(charged <= 1, "the outage cost a step {charged} attempts");
    let (_, breakers) = person.get("/api/breakers").await;
    assert_eq!(breakers["data"][0]["state"], "closed");
    let events = person.events("types=breaker.opened,breaker.closed", 2).await;
    let types: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    assert_eq!(types, ["breaker.opened", "breaker.closed"]);
}

#[tokio::test]
async fn one_tenants_breaker_holds_no_one_elses_steps() {
    let (ours, theirs) = (Tenant::new().await, Tenant::new().await);
    let fail =
        json!({"goal": "fail", "steps": [{"name": "f", "tool": "fail", "retry": {"max_attempts": 1}, "inputs": {"transient": true}}]});
    let person = ours.contributor();
    for _ in 0..5 {
        person.run(fail.clone()).await;
    }
    // No probe is sent; the step waits until the breaker is closed.
    let keep_open =
        "update nofx.handler_health set state = 'open', probes_in_flight = 0, probe_at = now() + interval '1 hour' where tenant_id = $1";
    assert_eq!(STACK.sql().await.execute(keep_open, &[&ours.id]).await.expect("kept open"), 1);
    let held = person.submit(fail.clone()).await;
    let run = person.wait(&held, |run| run["steps"][0]["waits_for"] == "breaker" || run["status"] == "failed").await;
    assert_eq!(run["steps"][0]["status"], "waiting", "{run}");
    assert_eq!(theirs.contributor().run(fail).await["status"], "failed", "it ran at once");

    let (status, answer) = ours.supervisor().post("/api/breakers", json!({"target": "fail", "close": true, "min_volume": 100})).await;
    assert_eq!((status.as_u16(), answer["state"].as_str()), (200, Some("closed")), "{answer}");
    assert_eq!(person.end(&held).await["status"], "failed", "it ran, and failed by itself");
}
