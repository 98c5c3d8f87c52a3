#![expect(clippy::disallowed_methods, reason = "a flag makes the killing long")]
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nofx_tests::own::Own;
use serde_json::{Value, json};

async fn call(dev: &Value, method: reqwest::Method, path: &str, body: Option<&Value>) -> Option<Value> {
    let mut request = nofx_shared::net::client()
        .request(method, format!("{}{path}", dev["api_url"].as_str()?))
        .bearer_auth(dev["tokens"]["admin"].as_str()?)
        .timeout(Duration::from_secs(15));
    if let Some(body) = body {
        request = request.json(body);
    }
    let response = request.send().await.ok()?;
    if !response.status().is_success() {
        return None;
    }
    response.json().await.ok()
}

pub(crate) async fn submit(own: &Own, plan: &Value) -> String {
    let begin = Instant::now();
    loop {
        if let Some(run) = call(&own.dev(), reqwest::Method::POST, "/api/runs", Some(&json!({"plan": plan}))).await {
            return run["id"].as_str().expect("an id").to_owned();
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "no run could be made for a minute");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub(crate) async fn wait(own: &Own, id: &str, limit: Duration, ready: impl Fn(&Value) -> bool) -> Value {
    let begin = Instant::now();
    loop {
        let run = call(&own.dev(), reqwest::Method::GET, &format!("/api/runs/{id}"), None).await;
        if let Some(run) = run.as_ref().filter(|run| ready(run)) {
            return run.clone();
        }
        assert!(begin.elapsed() < limit, "it did not come to that in time: {run:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Submits a plan and waits for its end.
pub(crate) async fn run(own: &Own, plan: &Value) -> Value {
    let id = submit(own, plan).await;
    wait(own, &id, Duration::from_secs(60), is_over).await
}

pub(crate) fn is_over(run: &Value) -> bool {
    matches!(run["status"].as_str(), Some("succeeded" | "failed" | "cancelled"))
}

/// How long parts are killed for; a minute with `NOFX_TEST_LONG` set.
fn seconds() -> usize {
    if std::env::var_os("NOFX_TEST_LONG").is_some() { 60 } else { 12 }
}

pub(crate) async fn sql(own: &Own) -> tokio_postgres::Client {
    let dev = own.dev();
    let db_url = dev["db_url"].as_str().expect("a URL");
    let (sql, connection) = tokio_postgres::connect(db_url, tokio_postgres::NoTls).await.expect("Postgres answers");
    tokio::spawn(connection);
    sql
}

#[tokio::test(flavor = "multi_thread")]
async fn every_run_ends_while_workers_database_and_postgrest_die() {
    let own = Own::start(&Own::folder("chaos"), &["--workers", "3"]);
    // A fifth of the rings is lost and a fifth doubled.
    sql(&own)
        .await
        .batch_execute(
            "create or replace function nofx_private.ring() returns void language plpgsql set search_path = '' as $$
         declare v_luck double precision := random();
         begin
           if v_luck > 0.2 then perform pg_notify('nofx_doorbell', ''); end if;
           if v_luck > 0.8 then perform pg_notify('nofx_doorbell', 'again'); end if;
         end $$",
        )
        .await
        .expect("the bell is broken");
    survive(&own, |_| {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_run_ends_while_redis_loses_rings_and_dies() {
    let own = Own::start(&Own::folder("redis"), &["--workers", "3", "--queue", "redis"]);
    let breaking = tokio::spawn(lose_and_double_rings(crate::queues::env(&own)["REDIS_URL"].clone()));
    survive(&own, |second| {
        if second == 5 {
            Own::kill(own.dev()["pids"]["queue"].as_i64().unwrap_or(0), Signal::SIGKILL);
        }
    })
    .await;
    breaking.abort();
}

/// Every fifth look loses all rings, every fifth doubles one.
async fn lose_and_double_rings(url: String) {
    for look in 0.. {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let Ok(client) = redis::Client::open(url.as_str()) else { continue };
        let Ok(mut redis) = client.get_multiplexed_async_connection().await else { continue };
        // An error is Redis being dead: so are its rings.
        let _: Result<redis::Value, _> = match look % 5 {
            0 => redis::cmd("XTRIM").arg(nofx_shared::queue::STREAM).arg("MAXLEN").arg(0).query_async(&mut redis).await,
            1 => {
                let ring = uuid::Uuid::now_v7().to_string();
                redis::cmd("XADD").arg(nofx_shared::queue::STREAM).arg("*").arg("look").arg(ring).query_async(&mut redis).await
            }
            _ => Ok(redis::Value::Nil),
        };
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_run_ends_while_sqs_dies_and_forgets_its_queues() {
    let own = Own::start(&Own::folder("sqs"), &["--workers", "3", "--queue", "sqs"]);
    survive(&own, |second| {
        if second == 2 || second == 7 {
            Own::kill(own.dev()["pids"]["queue"].as_i64().unwrap_or(0), Signal::SIGKILL);
        }
    })
    .await;
}

/// Submits 200 runs and kills a worker every second; Postgres twice and PostgREST once; then everything has ended, each step once.
async fn survive(own: &Own, also: impl Fn(usize)) {
    let nap = json!({"script": "sleep 0.05"});
    let plan = json!({"goal": "chaos", "steps": [
        {"name": "a", "tool": "noop", "needs": []}, {"name": "b", "tool": "bash", "needs": ["a"], "inputs": nap}, {"name": "c", "tool": "noop", "needs": ["a"]},
        {"name": "d", "tool": "sleep", "needs": ["a"], "inputs": {"seconds": 0.2}}, {"name": "e", "tool": "noop", "needs": ["b", "c", "d"]}]});
    let killing = async {
        for second in 0..seconds() {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let dev = own.dev();
            let workers = dev["pids"]["workers"].as_array().cloned().unwrap_or_default();
            Own::kill(workers[second % workers.len()].as_i64().unwrap_or(0), Signal::SIGKILL);
            also(second);
            match second {
                3 | 8 => Own::kill(dev["pids"]["postgres"].as_i64().unwrap_or(0), Signal::SIGINT),
                6 => Own::kill(dev["pids"]["postgrest"].as_i64().unwrap_or(0), Signal::SIGKILL),
                _ => {}
            }
        }
    };
    let submitting = async {
        let mut ids = vec![];
        for _ in 0..200 {
            ids.push(submit(own, &plan).await);
        }
        ids
    };
    let (ids, ()) = tokio::join!(submitting, killing);
    for id in &ids {
        let run = wait(own, id, Duration::from_secs(120), is_over).await;
        assert_eq!(run["status"], "succeeded", "{run}");
    }
    let ended = sql(own)
        .await
        .query_one("select count(*), count(distinct step_id) from nofx.event where type = 'step.succeeded'", &[])
        .await
        .expect("a count");
    let (events, steps): (i64, i64) = (ended.get(0), ended.get(1));
    assert_eq!(events, steps, "a step was settled twice");
    // A POST whose answer was lost may have made one run more than we know of.
    assert!(steps >= 1000, "{steps} steps of 1000 were settled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_killed_in_the_middle_goes_on_where_it_was() {
    let dir = Own::folder("restart");
    let mut own = Own::start(&dir, &["--workers", "1"]);
    let plan = json!({"goal": "restart", "steps": [
        {"name": "ask", "tool": "manual:deploy", "needs": []}, {"name": "gated", "tool": "noop", "needs": ["ask"]},
        {"name": "slow", "tool": "bash", "needs": [], "inputs": {"script": "sleep 2"}}]});
    let id = submit(&own, &plan).await;
    let step = |run: &Value, name: &str| {
        run["steps"].as_array().and_then(|steps| steps.iter().find(|step| step["name"] == name)).cloned().unwrap_or_default()
    };
    wait(&own, &id, Duration::from_secs(30), |run| step(run, "ask")["status"] == "waiting" && step(run, "slow")["status"] == "running")
        .await;
    let worker = own.dev()["pids"]["workers"][0].as_i64().unwrap_or(0);
    own.process.kill().expect("killed");
    own.process.wait().expect("it ended");
    Own::kill(worker, Signal::SIGKILL);

    let own = Own::start(&dir, &["--workers", "1"]);
    let run = wait(&own, &id, Duration::from_secs(60), |run| step(run, "slow")["status"] == "succeeded").await;
    assert_eq!(step(&run, "slow")["attempt"], 2, "the lost attempt was not the last");
    assert_eq!((step(&run, "ask")["status"].as_str(), step(&run, "gated")["status"].as_str()), (Some("waiting"), Some("pending")));
    let gate = run["gates"][0]["id"].as_str().expect("a gate").to_owned();
    call(&own.dev(), reqwest::Method::POST, &format!("/api/gates/{gate}/approve"), Some(&json!({}))).await.expect("approved");
    let run = wait(&own, &id, Duration::from_secs(60), is_over).await;
    assert_eq!((run["status"].as_str(), step(&run, "gated")["status"].as_str()), (Some("succeeded"), Some("succeeded")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_told_to_stop_hands_its_steps_back() {
    let own = Own::start(&Own::folder("drain"), &["--workers", "1"]);
    let script = "if [ -e mark ]; then echo again; else touch mark; sleep 60; fi";
    let plan = json!({"goal": "drain", "steps": [{"name": "long", "tool": "bash", "inputs": {"script": script}}, {"name": "after", "tool": "noop"}]});
    let id = submit(&own, &plan).await;
    wait(&own, &id, Duration::from_secs(30), |run| run["steps"][0]["status"] == "running").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    Own::kill(own.dev()["pids"]["workers"][0].as_i64().unwrap_or(0), Signal::SIGTERM);
    let run = wait(&own, &id, Duration::from_secs(30), is_over).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    assert_eq!((run["steps"][0]["attempt"].as_u64(), run["steps"][1]["attempt"].as_u64()), (Some(2), Some(1)), "{run}");
    let told = sql(&own).await.query_one("select count(*) from nofx.event where type = 'step.handed_back'", &[]).await.expect("a count");
    assert_eq!(told.get::<_, i64>(0), 1);
}
