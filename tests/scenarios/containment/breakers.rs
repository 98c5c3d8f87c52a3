#![expect(clippy::disallowed_methods, reason = "a flag makes the outage long")]

use std::time::{Duration, Instant};

use nofx_tests::Tenant;
use nofx_tests::receiver::Receiver;
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
    let mut runs = vec![];
    for _ in 0..20 {
        runs.push(person.submit(call(&receiver.url)).await);
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    // Down for a while: nothing but probes reaches it, one in five seconds at most once it has failed a few times.
    let seconds = if std::env::var_os("NOFX_TEST_LONG").is_some() { 60 } else { 8 };
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let while_down = receiver.heard().len();
    let (_, breakers) = person.get("/api/breakers").await;
    let breaker = &breakers["data"][0];
    assert!(breaker["target"].as_str().is_some_and(|target| target.starts_with("http:127.0.0.1")), "{breakers}");
    assert_ne!(breaker["state"], "closed", "{breakers}");
    assert!(while_down < 35 + usize::try_from(seconds).expect("small") / 4, "{while_down} calls for 20 steps");

    receiver.always(200, "{}", Duration::ZERO);
    let healthy = Instant::now();
    for run in &runs {
        let run = person.end(run).await;
        assert_eq!(run["status"], "succeeded", "{run}");
    }
    assert!(healthy.elapsed() < Duration::from_secs(10), "all had ended {:?} after it was healthy", healthy.elapsed());
    let charged = "select coalesce(max(failures), 0) from nofx.step where tenant_id = $1";
    let charged: i32 = nofx_tests::stack::STACK.sql().await.query_one(charged, &[&tenant.id]).await.expect("a number").get(0);
    assert!(charged <= 1, "the outage cost a step {charged} attempts");
    let (_, breakers) = person.get("/api/breakers").await;
    assert_eq!(breakers["data"][0]["state"], "closed");
    let (_, events) = person.get("/api/events?types=breaker.opened,breaker.closed").await;
    let types: Vec<&str> = events["data"].as_array().expect("events").iter().filter_map(|event| event["type"].as_str()).collect();
    assert_eq!(types, ["breaker.opened", "breaker.closed"]);
}

#[tokio::test]
async fn one_tenants_breaker_shuts_out_nobody_else() {
    let (ours, theirs) = (Tenant::new().await, Tenant::new().await);
    let fail =
        json!({"goal": "fail", "steps": [{"name": "f", "tool": "fail", "retry": {"max_attempts": 1}, "inputs": {"transient": true}}]});
    let person = ours.contributor();
    for _ in 0..5 {
        person.run(fail.clone()).await;
    }
    let shut = person.submit(fail.clone()).await;
    let run = person.wait(&shut, |run| run["steps"][0]["waits_for"] == "breaker" || run["status"] == "failed").await;
    assert_eq!(run["steps"][0]["status"], "waiting", "{run}");
    assert_eq!(theirs.contributor().run(fail).await["status"], "failed", "it ran at once");

    let (status, answer) = ours.supervisor().post("/api/breakers", json!({"target": "fail", "close": true, "min_volume": 100})).await;
    assert_eq!((status.as_u16(), answer["state"].as_str()), (200, Some("closed")), "{answer}");
    assert_eq!(person.end(&shut).await["status"], "failed", "let in, it failed by itself");
}
