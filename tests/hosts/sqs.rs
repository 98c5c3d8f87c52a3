//! Functions, and workers of their own, over SQS: the deployment.

use std::time::{Duration, Instant};

use nofx_tests::fakes::otlp::{Receiver, Span};
use nofx_tests::own::Own;
use nofx_tests::vercel::{Deployment, Invocation};
use nofx_tests::{WAIT_LIMIT, suite};
use serde_json::{Value, json};

use crate::settings;
use crate::vercel::built;

/// A stack whose workers are woken through SQS, and the functions beside it.
async fn deploy(name: &str, more: &[(&str, &str)]) -> (Own, Deployment) {
    // Those of scripts/test.sh's stack, which the scenarios count on.
    let wanted = [("NOFX_SECRET_TEST_TOKEN", "hunter2-hunter2"), ("NOFX_ALLOW_PRIVATE_ADDRESSES", "false")];
    let all: Vec<(&str, &str)> = wanted.into_iter().chain(more.iter().copied()).collect();
    let own = Own::start_with(&Own::folder(name), &["--queue", "sqs", "--workers", "2"], &all);
    let dev = own.dev();
    let mut settings = settings(&dev);
    let queue: std::collections::BTreeMap<String, String> = serde_json::from_value(dev["queue"].clone()).expect("texts");
    settings.extend(queue);
    settings.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let deployment = Deployment::start(&built().await, &settings).await;
    (own, deployment)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scenarios_pass_on_functions_and_workers_over_sqs() {
    let (own, deployment) = deploy("hosts-sqs", &[]).await;
    let folder = tempfile::tempdir().expect("a folder");
    suite::scenarios(&own.dev(), &deployment.url, folder.path()).await;

    // The platform may freeze a process whose invocations have ended: none may end before its answer, and all must end. A stream
    // whose client went away ends with its next heartbeat.
    let begun = Instant::now();
    while deployment.invocations().values().flatten().any(|one| one.ended.is_none()) {
        assert!(begun.elapsed() < WAIT_LIMIT, "these never end: {:?}", deployment.invocations());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    for (function, invocations) in deployment.invocations() {
        let early: Vec<&Invocation> = invocations.iter().filter(|one| one.ended == Some(false)).collect();
        assert!(early.is_empty(), "{function}: of {} invocations these ended before their answers: {early:?}", invocations.len());
        assert!(!invocations.is_empty() || suite::is_part(), "{function} was never asked");
    }
    let written: Vec<_> = std::fs::read_dir(deployment.home.path()).expect("a folder").collect();
    assert!(written.is_empty(), "functions may write to /tmp only: {written:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_goes_from_the_request_through_the_queue_into_the_steps_process() {
    let receiver = Receiver::start().await;
    let (own, deployment) = deploy("traces", &[("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url), ("OTEL_BSP_SCHEDULE_DELAY", "200")]).await;
    let dev = own.dev();
    let token = dev["tokens"]["admin"].as_str().expect("a token").to_owned();
    let client = nofx_shared::net::client();
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let plan = json!({"goal": "trace", "steps": [{"name": "a", "tool": "bash", "inputs": {"script": "echo $TRACEPARENT"}}]});
    let post = client.post(format!("{}/api/runs", deployment.url)).bearer_auth(&token).json(&json!({"plan": plan}));
    let made: Value =
        post.header("traceparent", format!("00-{trace}-b7ad6b7169203331-01")).send().await.expect("an answer").json().await.expect("JSON");
    let id = made["id"].as_str().expect("an id");

    let of_trace = |spans: &[Span], name: &str| spans.iter().find(|span| span.trace == trace && span.name == name).cloned();
    let names = ["POST /api/runs", "send step.ready", "receive step.ready", "step bash", "process bash"];
    let spans = receiver.wait("whole trace", |spans| names.iter().all(|name| of_trace(spans, name).is_some())).await;
    let [request, sent, received, step, process] = names.map(|name| of_trace(&spans, name).expect("it was waited for"));
    assert_eq!(request.parent, "b7ad6b7169203331", "the caller's span");
    assert_eq!((&sent.parent, &step.parent), (&request.id, &request.id), "the message and the step come of the request");
    assert_eq!(received.parent, sent.id, "the trace went through the message");
    assert_eq!(process.parent, step.id);
    assert_eq!((request.service.as_str(), step.service.as_str()), ("nofx-api", "nofx-worker"));

    let run: Value = client
        .get(format!("{}/api/runs/{id}", deployment.url))
        .bearer_auth(&token)
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    let printed = run["steps"][0]["outputs"]["stdout"].as_str().unwrap_or_default().trim().to_owned();
    assert_eq!(printed, format!("00-{trace}-{}-01", process.id), "the process knows its place in the trace: {run}");
}
