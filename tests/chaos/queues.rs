//! The requirements of every queue driver, in one function that runs over all of them.

use nofx_tests::WAIT_LIMIT;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use nix::sys::signal::Signal;
use nofx_shared::events::EventBus;
use nofx_shared::queue::{DEAD_STREAM, Queue, STREAM, WakeUp};
use nofx_shared::settings::{self, Aws, AwsKeys};
use nofx_tests::own::{Own, is_finished};
use nofx_tests::plans::{bash, plan, until};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::watch;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn the_postgres_queue_conforms() {
    conforms("postgres").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_redis_queue_conforms() {
    conforms("redis").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sqs_queue_conforms() {
    conforms("sqs").await;
}

async fn conforms(driver: &str) {
    // No sweep comes during the test: every step that starts was woken for.
    let settings = [("NOFX_CONCURRENCY", "1"), ("NOFX_SWEEP_S", "3600")];
    let own = Own::start_with(&Own::folder(driver), &["--queue", driver, "--workers", "2"], &settings);
    delivers(&own).await;
    if driver == "redis" {
        notifies_followers(&own).await;
    }
    waits_for_what_is_due(&own).await;
    passes_by_a_worker_without_capacity(&own).await;
    survives_unrecognised_messages(&own, driver).await;
    drop(own);
    // Here sweeps are part of the test.
    let settings = [("NOFX_CONCURRENCY", "1")];
    let own = Own::start_with(&Own::folder(driver), &["--queue", driver, "--workers", "2"], &settings);
    loses_nothing_when_workers_die_or_stop(&own).await;
    takes_more_wake_ups_than_fit_one_call(driver).await;
}

fn noop() -> Value {
    json!({"goal": "queue", "steps": [{"name": "a", "tool": "noop"}]})
}

/// Delivery: each run on an idle system starts because of its wake-up; no sweep comes.
async fn delivers(own: &Own) {
    for _ in 0..5 {
        assert_eq!(own.run(&noop()).await["status"], "succeeded");
    }
}

/// Hints: where Redis is the queue and there is no connection to the database, Redis announces new events, also after its connection
/// broke off.
async fn notifies_followers(own: &Own) {
    let dev = own.dev();
    let text = |key: &str| dev[key].as_str().expect("text").to_owned();
    let supabase = settings::Supabase {
        url: text("supabase_url"),
        rest_url: text("rest_url"),
        anon_key: text("anon_key"),
        service_role_key: text("service_role_key"),
        db_url: None,
    };
    let queue = own.queue();
    let mut hints = EventBus::new(supabase, text("jwt_secret"), settings_of(&queue)).follow(own.tenant().await).await;
    next(&mut hints, "it listens").await;
    own.run(&noop()).await;
    next(&mut hints, "a run was written").await;
    let client = redis::Client::open(queue["REDIS_URL"].as_str()).expect("a URL");
    let mut redis = client.get_multiplexed_async_connection().await.expect("Redis answers");
    let cut: i64 = redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("pubsub").query_async(&mut redis).await.expect("a count");
    assert_eq!(cut, 1, "no one else listens");
    eventually("it listens again", || async {
        let channels = redis::cmd("PUBSUB").arg("CHANNELS").query_async::<Vec<String>>(&mut redis.clone()).await;
        channels.is_ok_and(|channels| channels.len() == 1)
    })
    .await;
    // One hint says that it listens again, the other one is for a run.
    hints.mark_unchanged();
    for _ in 0..2 {
        own.run(&noop()).await;
        next(&mut hints, "another run was written").await;
    }
}

async fn next(hints: &mut watch::Receiver<u64>, what: &str) {
    let change = tokio::time::timeout(WAIT_LIMIT, hints.changed()).await;
    change.unwrap_or_else(|_| panic!("no hint came: {what}")).expect("it goes on");
}

/// Delay: a step that is due later is claimed when it is due, by any worker.
async fn waits_for_what_is_due(own: &Own) {
    let run = own.run(&json!({"goal": "delay", "steps": [{"name": "a", "tool": "sleep", "inputs": {"seconds": 1}}]})).await;
    let path = format!("/api/runs/{}/timeline", run["id"].as_str().expect("an id"));
    let page = own.call(Method::GET, &path, None).await.expect("a timeline");
    let event = |kind: &str| page["data"].as_array().and_then(|all| all.iter().find(|event| event["type"] == kind)).expect("an event");
    let instant = |value: &Value| value.as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok()).unwrap_or_else(|| panic!("{page}"));
    // Only the database's clock counts.
    let (asked, due) = (instant(&event("step.waiting")["time"]), instant(&event("step.waiting")["data"]["until"]));
    assert!(due - asked == chrono::TimeDelta::seconds(1) && instant(&event("step.succeeded")["time"]) >= due, "{page}");
}

/// Backpressure: a worker without capacity leaves wake-ups to others.
async fn passes_by_a_worker_without_capacity(own: &Own) {
    let go = own.dir.join("go");
    let long = own.submit(&plan(vec![bash("a", &until(&go))])).await;
    own.wait(&long, |run| run["steps"][0]["status"] == "running").await;
    for _ in 0..4 {
        own.run(&noop()).await;
    }
    std::fs::write(go, "").expect("written");
    own.wait(&long, is_finished).await;
}

/// Poison: an unrecognised message does no harm, and is moved to the dead-letter queue if the driver has one.
async fn survives_unrecognised_messages(own: &Own, driver: &str) {
    let settings = own.queue();
    match driver {
        "redis" => {
            let client = redis::Client::open(settings["REDIS_URL"].as_str()).expect("a URL");
            let mut redis = client.get_multiplexed_async_connection().await.expect("Redis answers");
            let _: String =
                redis::cmd("XADD").arg(STREAM).arg("*").arg("id").arg("\u{0}nobody").query_async(&mut redis).await.expect("taken");
            eventually("the entry is put away", || async {
                redis::cmd("XLEN").arg(DEAD_STREAM).query_async::<i64>(&mut redis.clone()).await.is_ok_and(|length| length == 1)
            })
            .await;
        }
        "sqs" => {
            let sqs = Sqs(settings["AWS_ENDPOINT_URL"].clone());
            let url = sqs.call("GetQueueUrl", &json!({"QueueName": "nofx-normal"})).await["QueueUrl"].clone();
            let soon = json!({"QueueUrl": url, "Attributes": {"VisibilityTimeout": "1"}});
            sqs.call("SetQueueAttributes", &soon).await;
            sqs.call("SendMessage", &json!({"QueueUrl": url, "MessageBody": "nobody"})).await;
            eventually("the message is in the dead-letter queue", || async { sqs.length("nofx-dead").await == 1 }).await;
        }
        _ => {
            own.sql().await.batch_execute("select pg_notify('nofx_step_ready', 'nobody')").await.expect("sent");
        }
    }
    delivers(own).await;
}

/// Redelivery and shutdown: when a worker dies or is stopped, another one does the work that it was woken for.
async fn loses_nothing_when_workers_die_or_stop(own: &Own) {
    for signal in [Signal::SIGKILL, Signal::SIGTERM] {
        let go = own.dir.join(signal.as_str());
        let taken_away = async || {
            let count = "select count(*) from nofx.event where type in ('step.lease_expired', 'step.interrupted')";
            own.sql().await.query_one(count, &[]).await.expect("a count").get::<_, i64>(0)
        };
        let before = taken_away().await;
        let mut runs = vec![];
        for _ in 0..6 {
            runs.push(own.submit(&plan(vec![bash("a", &until(&go))])).await);
        }
        own.wait(&runs[0], |run| run["steps"][0]["status"] == "running").await;
        for worker in own.dev()["pids"]["workers"].as_array().expect("workers") {
            Own::kill(worker.as_i64().unwrap_or(0), signal);
        }
        if signal == Signal::SIGKILL {
            // The test does not wait for the leases of dead workers.
            own.end_leases("true").await;
        }
        for _ in 0..6 {
            runs.push(own.submit(&noop()).await);
        }
        eventually("their steps are taken away", || async { taken_away().await > before }).await;
        std::fs::write(go, "").expect("written");
        for id in &runs {
            let run = own.wait(id, is_finished).await;
            assert_eq!(run["status"], "succeeded", "after {signal}: {run}");
        }
    }
    assert_eq!(own.settled_twice().await, 0, "a step was settled twice");
}

/// Batch limits: SQS takes ten messages in a call.
async fn takes_more_wake_ups_than_fit_one_call(driver: &str) {
    let own = Own::start(&Own::folder(&format!("{driver}-batch")), &["--queue", driver, "--workers", "0"]);
    let env = own.queue();
    let queue = Queue::new(settings_of(&env), None);
    let wake_ups = (0..25).map(|at| WakeUp { id: Uuid::now_v7(), priority: if at < 23 { 0 } else { 1 }, trace: None }).collect();
    queue.wake(wake_ups).await.expect("all wake-ups are sent");
    match driver {
        "redis" => {
            let client = redis::Client::open(env["REDIS_URL"].as_str()).expect("a URL");
            let mut redis = client.get_multiplexed_async_connection().await.expect("Redis answers");
            let length: i64 = redis::cmd("XLEN").arg(STREAM).query_async(&mut redis).await.expect("a length");
            assert_eq!(length, 25);
        }
        "sqs" => {
            let sqs = Sqs(env["AWS_ENDPOINT_URL"].clone());
            assert_eq!((sqs.length("nofx-normal").await, sqs.length("nofx-high").await), (23, 2));
        }
        // The SQL functions wake workers when they commit; there is nothing to send.
        _ => {}
    }
}

fn settings_of(env: &BTreeMap<String, String>) -> settings::Queue {
    match env["QUEUE_DRIVER"].as_str() {
        "redis" => settings::Queue::Redis { url: env["REDIS_URL"].clone() },
        "sqs" => {
            let keys = AwsKeys { id: env["AWS_ACCESS_KEY_ID"].clone(), secret: env["AWS_SECRET_ACCESS_KEY"].clone(), session: None };
            let aws = Aws { region: env["AWS_REGION"].clone(), endpoint: Some(env["AWS_ENDPOINT_URL"].clone()), keys: Some(keys) };
            settings::Queue::Sqs { prefix: env["SQS_PREFIX"].clone(), aws }
        }
        _ => settings::Queue::Postgres,
    }
}

/// The emulator, through the JSON protocol.
struct Sqs(String);

impl Sqs {
    async fn call(&self, call: &str, body: &Value) -> Value {
        // Names the service; the emulator checks no more of a signature.
        let scope = "AWS4-HMAC-SHA256 Credential=nofx/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0";
        let request =
            nofx_shared::net::client().post(&self.0).header("x-amz-target", format!("AmazonSQS.{call}")).header("authorization", scope);
        let answer =
            request.header("content-type", "application/x-amz-json-1.0").body(body.to_string()).send().await.expect("moto answers");
        answer.json().await.unwrap_or_default()
    }

    async fn length(&self, queue: &str) -> u64 {
        let url = self.call("GetQueueUrl", &json!({"QueueName": queue})).await["QueueUrl"].clone();
        let asked = json!({"QueueUrl": url, "AttributeNames": ["ApproximateNumberOfMessages"]});
        let answer = self.call("GetQueueAttributes", &asked).await;
        answer["Attributes"]["ApproximateNumberOfMessages"]
            .as_str()
            .and_then(|text| text.parse().ok())
            .unwrap_or_else(|| panic!("{answer}"))
    }
}

async fn eventually<F: Future<Output = bool>>(what: &str, is: impl Fn() -> F) {
    let begun = Instant::now();
    while !is().await {
        assert!(begun.elapsed() < WAIT_LIMIT, "it did not come to that: {what}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn what_sqs_could_not_take_is_sent_once_more_and_nothing_else() {
    use axum::Json;
    use axum::http::HeaderMap;
    use std::sync::{Arc, Mutex};

    let batches: Arc<Mutex<Vec<Vec<String>>>> = Arc::default();
    let kept = Arc::clone(&batches);
    // Bodies are JSON under a media type of AWS' own.
    let answer = move |headers: HeaderMap, body: String| async move {
        let body: Value = serde_json::from_str(&body).expect("JSON");
        if headers["x-amz-target"] == "AmazonSQS.GetQueueUrl" {
            return Json(json!({"QueueUrl": "http://queue"}));
        }
        assert!(headers["authorization"].to_str().is_ok_and(|text| text.starts_with("AWS4-HMAC-SHA256 ")), "it is signed");
        let ids =
            body["Entries"].as_array().expect("entries").iter().map(|entry| entry["Id"].as_str().expect("an id").to_owned()).collect();
        let mut batches = kept.lock().expect("not poisoned");
        batches.push(ids);
        let failed = if batches.len() == 1 { json!([{"Id": "1", "Code": "InternalError", "SenderFault": false}]) } else { json!([]) };
        Json(json!({"Successful": [], "Failed": failed}))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = Some(format!("http://{}", listener.local_addr().expect("an address")));
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
    let keys = Some(AwsKeys { id: "id".to_owned(), secret: "secret".to_owned(), session: None });
    let aws = Aws { region: "eu-central-1".to_owned(), endpoint, keys };
    let queue = Queue::new(settings::Queue::Sqs { prefix: "nofx".to_owned(), aws }, None);
    queue.wake((0..3).map(|_| WakeUp::new(Uuid::now_v7())).collect()).await.expect("all are taken in the end");
    assert_eq!(*batches.lock().expect("not poisoned"), [vec!["0", "1", "2"], vec!["1"]]);
}
