#![expect(clippy::disallowed_methods, reason = "starts and kills whole stacks")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use nofx_tests::stack::{binary, root};
use serde_json::{Value, json};

/// A stack of this test's own.
struct Own {
    dir: PathBuf,
    process: Child,
}

impl Own {
    fn start(dir: &Path, workers: usize) -> Self {
        std::fs::create_dir_all(dir).expect("a folder");
        drop(std::fs::remove_file(dir.join("dev.json")));
        let process = Command::new(binary())
            .args(["dev", "--port", "0", "--workers", &workers.to_string(), "--data-dir"])
            .arg(dir)
            .current_dir(root())
            .env("NOFX_LEASE_S", "3")
            .env("RUST_LOG", "error")
            .stderr(Stdio::null())
            .spawn()
            .expect("the stack starts");
        let own = Self { dir: dir.to_owned(), process };
        let begin = Instant::now();
        while !dir.join("dev.json").is_file() {
            assert!(begin.elapsed() < Duration::from_secs(60), "the stack did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        own
    }

    fn dev(&self) -> Value {
        loop {
            if let Ok(dev) =
                std::fs::read(self.dir.join("dev.json")).map_err(drop).and_then(|text| serde_json::from_slice(&text).map_err(drop))
            {
                return dev;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn kill(pid: i64, signal: Signal) {
        if let Ok(pid) = i32::try_from(pid)
            && pid > 0
        {
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }
}

/// Also when an assertion failed: no process is left behind.
impl Drop for Own {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            Self::kill(i64::from(self.process.id()), Signal::SIGTERM);
            drop(self.process.wait());
            drop(std::fs::remove_dir_all(&self.dir));
        }
    }
}

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

async fn submit(own: &Own, plan: &Value) -> String {
    let begin = Instant::now();
    loop {
        if let Some(run) = call(&own.dev(), reqwest::Method::POST, "/api/runs", Some(&json!({"plan": plan}))).await {
            return run["id"].as_str().expect("an id").to_owned();
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "no run could be made for a minute");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn wait(own: &Own, id: &str, limit: Duration, ready: impl Fn(&Value) -> bool) -> Value {
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

fn is_over(run: &Value) -> bool {
    matches!(run["status"].as_str(), Some("succeeded" | "failed" | "cancelled"))
}

fn folder(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("nofx-{name}-{}", uuid::Uuid::now_v7().simple()));
    std::fs::create_dir(&dir).expect("a folder");
    dir
}

#[tokio::test(flavor = "multi_thread")]
async fn every_run_ends_while_workers_database_and_postgrest_die() {
    let own = Own::start(&folder("chaos"), 3);
    let dev = own.dev();
    let (sql, connection) =
        tokio_postgres::connect(dev["db_url"].as_str().expect("a URL"), tokio_postgres::NoTls).await.expect("Postgres answers");
    tokio::spawn(connection);
    // A fifth of the rings is lost and a fifth doubled.
    sql.batch_execute(
        "create or replace function nofx_private.ring() returns void language plpgsql set search_path = '' as $$
         declare v_luck double precision := random();
         begin
           if v_luck > 0.2 then perform pg_notify('nofx_doorbell', ''); end if;
           if v_luck > 0.8 then perform pg_notify('nofx_doorbell', 'again'); end if;
         end $$",
    )
    .await
    .expect("the bell is broken");
    let nap = json!({"script": "sleep 0.05"});
    let plan = json!({"goal": "chaos", "steps": [
        {"name": "a", "tool": "noop", "needs": []}, {"name": "b", "tool": "bash", "needs": ["a"], "inputs": nap}, {"name": "c", "tool": "noop", "needs": ["a"]},
        {"name": "d", "tool": "sleep", "needs": ["a"], "inputs": {"seconds": 0.2}}, {"name": "e", "tool": "noop", "needs": ["b", "c", "d"]}]});
    let killing = async {
        for second in 0..12usize {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let dev = own.dev();
            let workers = dev["pids"]["workers"].as_array().cloned().unwrap_or_default();
            Own::kill(workers[second % workers.len()].as_i64().unwrap_or(0), Signal::SIGKILL);
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
            ids.push(submit(&own, &plan).await);
        }
        ids
    };
    let (ids, ()) = tokio::join!(submitting, killing);
    for id in &ids {
        let run = wait(&own, id, Duration::from_secs(120), is_over).await;
        assert_eq!(run["status"], "succeeded", "{run}");
    }
    let dev = own.dev();
    let (sql, connection) =
        tokio_postgres::connect(dev["db_url"].as_str().expect("a URL"), tokio_postgres::NoTls).await.expect("Postgres answers");
    tokio::spawn(connection);
    let ended = sql
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
    let dir = folder("restart");
    let mut own = Own::start(&dir, 1);
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

    let own = Own::start(&dir, 1);
    let run = wait(&own, &id, Duration::from_secs(60), |run| step(run, "slow")["status"] == "succeeded").await;
    assert_eq!(step(&run, "slow")["attempt"], 2, "the lost attempt was not the last");
    assert_eq!((step(&run, "ask")["status"].as_str(), step(&run, "gated")["status"].as_str()), (Some("waiting"), Some("pending")));
    let gate = run["gates"][0]["id"].as_str().expect("a gate").to_owned();
    call(&own.dev(), reqwest::Method::POST, &format!("/api/gates/{gate}/approve"), Some(&json!({}))).await.expect("approved");
    let run = wait(&own, &id, Duration::from_secs(60), is_over).await;
    assert_eq!((run["status"].as_str(), step(&run, "gated")["status"].as_str()), (Some("succeeded"), Some("succeeded")));
}
