#![expect(clippy::disallowed_methods, reason = "a flag makes the killing long")]
use nofx_tests::WAIT_LIMIT;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal;
use nofx_tests::own::{Own, is_finished};
use serde_json::{Value, json};

/// The minimum of runs that are submitted, and how often a worker is killed; more of both with `NOFX_TEST_LONG`.
fn sizes() -> (usize, usize) {
    if std::env::var_os("NOFX_TEST_LONG").is_some() { (200, 60) } else { (60, 6) }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_run_ends_while_workers_database_and_postgrest_die() {
    let own = Own::start(&Own::folder("chaos"), &["--workers", "3"]);
    // A fifth of the wake-ups is lost and a fifth doubled.
    own.sql()
        .await
        .batch_execute(
            "create or replace function nofx_private.wake_workers() returns void language plpgsql set search_path = '' as $$
         declare v_luck double precision := random();
         begin
           if v_luck > 0.2 then perform pg_notify('nofx_step_ready', ''); end if;
           if v_luck > 0.8 then perform pg_notify('nofx_step_ready', 'again'); end if;
         end $$",
        )
        .await
        .expect("wake-ups are broken");
    survive(&own, async |round| match round {
        2 | 4 => end_and_wait(&own, |dev| dev["pids"]["postgres"].as_i64().unwrap_or(0), Signal::SIGINT).await,
        3 => end_and_wait(&own, |dev| dev["pids"]["postgrest"].as_i64().unwrap_or(0), Signal::SIGKILL).await,
        _ => {}
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_run_ends_while_redis_loses_wake_ups_and_dies() {
    let own = Own::start(&Own::folder("redis"), &["--workers", "3", "--queue", "redis"]);
    let broken = Arc::new(AtomicUsize::new(0));
    let breaking = tokio::spawn(lose_and_double_wake_ups(own.queue()["REDIS_URL"].clone(), Arc::clone(&broken)));
    survive(&own, async |round| {
        if round == 2 {
            end_and_wait(&own, queue, Signal::SIGKILL).await;
        }
    })
    .await;
    assert!(broken.load(Ordering::Relaxed) > 10 && !breaking.is_finished(), "no wake-up was lost or doubled");
    breaking.abort();
}

/// Every fifth round loses all wake-ups, every fifth sends one more; counts the rounds that Redis accepted.
async fn lose_and_double_wake_ups(url: String, broken: Arc<AtomicUsize>) {
    for round in 0.. {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let Ok(client) = redis::Client::open(url.as_str()) else { continue };
        let Ok(mut redis) = client.get_multiplexed_async_connection().await else { continue };
        // An error means that Redis is dead: so are its wake-ups.
        let done: Result<redis::Value, _> = match round % 5 {
            0 => redis::cmd("XTRIM").arg(nofx_shared::queue::STREAM).arg("MAXLEN").arg(0).query_async(&mut redis).await,
            1 => {
                let id = uuid::Uuid::now_v7().to_string();
                redis::cmd("XADD").arg(nofx_shared::queue::STREAM).arg("*").arg("id").arg(id).query_async(&mut redis).await
            }
            _ => continue,
        };
        broken.fetch_add(usize::from(done.is_ok()), Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_run_ends_while_sqs_dies_and_forgets_its_queues() {
    let own = Own::start(&Own::folder("sqs"), &["--workers", "3", "--queue", "sqs"]);
    survive(&own, async |round| {
        if round == 1 || round == 4 {
            end_and_wait(&own, queue, Signal::SIGKILL).await;
        }
    })
    .await;
}

fn queue(dev: &Value) -> i64 {
    dev["pids"]["queue"].as_i64().unwrap_or(0)
}

/// Submits runs as long as it kills: a worker each time, and then whatever the test adds. In the end every run has finished, and each of
/// its steps once.
async fn survive(own: &Own, also: impl AsyncFn(usize)) {
    let (least, kills) = sizes();
    // So long that at ten runs a second each of three workers has running steps when it is killed.
    let nap = json!({"script": "sleep 0.5"});
    let plan = json!({"goal": "chaos", "steps": [
        {"name": "a", "tool": "noop", "needs": []}, {"name": "b", "tool": "bash", "needs": ["a"], "inputs": nap}, {"name": "c", "tool": "noop", "needs": ["a"]},
        {"name": "d", "tool": "sleep", "needs": ["a"], "inputs": {"seconds": 0.2}}, {"name": "e", "tool": "noop", "needs": ["b", "c", "d"]}]});
    let killing_ended = AtomicBool::new(false);
    let killing = async {
        for round in 0..kills {
            kill_a_worker(own, round % 3).await;
            also(round).await;
        }
        killing_ended.store(true, Ordering::Relaxed);
    };
    let submitting = async {
        let mut ids = vec![];
        while ids.len() < least || !killing_ended.load(Ordering::Relaxed) {
            ids.push(own.submit(&plan).await);
            // Enough for the killed worker to have steps, and no more than that.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        ids
    };
    let (ids, ()) = tokio::join!(submitting, killing);
    let mut dead_lettered = vec![];
    for id in &ids {
        let run = own.wait(id, is_finished).await;
        if run["status"] == "failed" {
            assert_eq!(run["error"]["message"], "the lease expired 2 times (worker crashed or unreachable)", "{run}");
            dead_lettered.push(run);
        } else {
            assert_eq!(run["status"], "succeeded", "{run}");
        }
    }
    let count = async |what: &str| own.sql().await.query_one(what, &[]).await.expect("a count").get::<_, i64>(0);
    assert!(
        count("select count(*) from nofx.step_attempt where outcome = 'lease_expired'").await > 0,
        "whoever was killed had nothing to do"
    );
    // A step that two dead workers ran may be what killed them: it is dead-lettered, and a person can requeue it.
    for run in &dead_lettered {
        let step = run["error"]["step_id"].as_str().expect("an id");
        let deaths = count(&format!("select count(*) from nofx.step_attempt where outcome = 'lease_expired' and step_id = '{step}'")).await;
        assert_eq!(deaths, 2, "a step was dead-lettered whose lease did not expire twice: {run}");
    }
    own.call(reqwest::Method::POST, "/api/dlq/requeue", Some(&json!({"reason": "poison"}))).await.expect("all are requeued");
    for id in &ids {
        let run = own.wait(id, is_finished).await;
        assert_eq!(run["status"], "succeeded", "{run}");
    }
    assert_eq!(own.settled_twice().await, 0, "a step was settled twice");
    // A POST whose response was lost may have created one more run than we know of: it counts as well.
    let whole = "select count(*) from nofx.run r where
        (select count(distinct e.step_id) from nofx.event e join nofx.step s on s.id = e.step_id where s.run_id = r.id and e.type = 'step.succeeded') = 5";
    assert!(count(whole).await >= i64::try_from(ids.len()).expect("few"), "a run ended without all of its steps");
}

/// Kills a worker that has running steps, and ends its leases so that the test need not wait for them.
async fn kill_a_worker(own: &Own, index: usize) {
    let pid = |dev: &Value| dev["pids"]["workers"][index].as_i64().unwrap_or(0);
    let its = format!("worker = 'dev-{index}'");
    let begun = std::time::Instant::now();
    let held = format!("select count(*) from nofx.step where status = 'running' and {its}");
    while own.sql().await.query_one(&held, &[]).await.expect("a count").get::<_, i64>(0) == 0 {
        assert!(begun.elapsed() < WAIT_LIMIT, "it gets no work");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let killed = end(own, pid, Signal::SIGKILL).await;
    while Own::lives(killed) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    own.end_leases(&its).await;
    wait_for_another(own, pid, killed).await;
}

/// Ends a process of the stack and waits until it is there again, and the API answers.
async fn end_and_wait(own: &Own, which: impl Fn(&Value) -> i64, signal: Signal) {
    let ended = end(own, &which, signal).await;
    wait_for_another(own, which, ended).await;
}

async fn end(own: &Own, which: impl Fn(&Value) -> i64, signal: Signal) -> i64 {
    let begun = std::time::Instant::now();
    let pid = loop {
        let pid = which(&own.dev());
        if pid > 0 && Own::lives(pid) {
            break pid;
        }
        assert!(begun.elapsed() < WAIT_LIMIT, "it did not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    Own::kill(pid, signal);
    pid
}

async fn wait_for_another(own: &Own, which: impl Fn(&Value) -> i64, ended: i64) {
    let begun = std::time::Instant::now();
    let is_back = |now: i64| now != ended && now > 0 && Own::lives(now);
    while !is_back(which(&own.dev())) || own.call(reqwest::Method::GET, "/api/runs?limit=1", None).await.is_err() {
        assert!(begun.elapsed() < WAIT_LIMIT, "process {ended} did not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
