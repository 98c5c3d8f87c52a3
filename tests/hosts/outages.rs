//! Outages of the services that NOFX depends on, under load: functions and a worker whose connections to PostgREST, to the rest of
//! Supabase, and to AWS are cut one after the other.
#![expect(clippy::disallowed_methods, reason = "starts a worker, and a flag makes the outages long")]

use nofx_tests::WAIT_LIMIT;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nofx_tests::faults::Way;
use nofx_tests::own::{Own, is_finished};
use nofx_tests::plans::{bash, plan, until};
use nofx_tests::stack::binary;
use nofx_tests::vercel::Deployment;
use reqwest::Client;
use serde_json::{Value, json};

use crate::settings;
use crate::vercel::built;

struct KillOnDrop(Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        drop((self.0.kill(), self.0.wait()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_each_dependency_is_away() {
    let own = Own::start(&Own::folder("outages"), &["--queue", "sqs", "--workers", "0"]);
    let dev = own.dev();
    let text = |key: &str| dev[key].as_str().expect("text").to_owned();
    let (rest, supabase) = (Way::to(&text("rest_url")).await, Way::to(&text("supabase_url")).await);
    let aws = Way::to(dev["queue"]["AWS_ENDPOINT_URL"].as_str().expect("a URL")).await;
    let mut settings = settings(&dev);
    settings.extend(
        dev["queue"].as_object().expect("settings").iter().map(|(name, value)| (name.clone(), value.as_str().expect("text").to_owned())),
    );
    for (name, way) in [("NOFX_REST_URL", &rest), ("SUPABASE_URL", &supabase), ("AWS_ENDPOINT_URL", &aws)] {
        settings.retain(|(one, _)| one != name);
        settings.push((name.to_owned(), way.url.clone()));
    }
    crate::secrets::manager(
        &own,
        "CreateSecret",
        &json!({"Name": format!("nofx/{}", own.tenant().await), "SecretString": "{\"KEY\":\"open-sesame\"}"}),
    )
    .await;
    let deployment = Deployment::start(&built().await, &settings).await;
    let worker = Command::new(binary())
        .arg("worker")
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .envs([("SECRETS_DRIVER", "aws"), ("SECRETS_TTL_S", "1"), ("RUST_LOG", "error")])
        .stderr(Stdio::null())
        .spawn();
    let _worker = KillOnDrop(worker.expect("it starts"));

    let api = Api {
        client: nofx_shared::net::client(),
        url: deployment.url.clone(),
        token: dev["tokens"]["admin"].as_str().expect("a token").to_owned(),
    };
    let load = Arc::new(Load::default());
    let submitting = tokio::spawn(submit(api.clone(), Arc::clone(&load)));
    let made = api.submit(&plan(vec![bash("log", "echo log")])).await;
    let made = api.wait(&made, is_finished).await["artifacts"][0]["id"].as_str().expect("an artifact").to_owned();
    // A step that runs all the time.
    let done = own.dir.join("done");
    let long = api.submit(&plan(vec![bash("long", &format!("{}; echo done", until(&done)))])).await;
    api.wait(&long, |run| run["steps"][0]["status"] == "running").await;
    load.accepts(5).await;
    for (name, way) in [("PostgREST", &rest), ("Storage and Realtime", &supabase), ("the queue and the secrets", &aws)] {
        way.cut();
        way.is_missed(3).await;
        if std::env::var_os("NOFX_TEST_LONG").is_some() {
            tokio::time::sleep(Duration::from_secs(30)).await;
        }
        // Requests that need it are refused with a problem, others are served.
        if name == "PostgREST" {
            api.is_refused("/api/runs").await;
            load.is_refused().await;
            // So long that the leases of a worker expire.
            own.end_leases("name = 'long'").await;
        } else {
            load.accepts(5).await;
            assert_eq!(api.get("/api/runs").await.status(), 200);
        }
        if name == "Storage and Realtime" {
            api.is_refused(&format!("/api/artifacts/{made}/content")).await;
        }
        assert_eq!(api.get("/api/health").await.status(), 200, "without {name}");
        way.mend();
        load.accepts(5).await;
    }
    load.is_finished.store(true, Ordering::Relaxed);
    submitting.await.expect("the load");
    std::fs::write(done, "").expect("written");
    let mut accepted = load.accepted.lock().expect("not poisoned").clone();
    accepted.push(long);
    for id in &accepted {
        let run = api.wait(id, is_finished).await;
        assert_eq!(run["status"], "succeeded", "{run}");
        assert_eq!(run["artifacts"].as_array().map(Vec::len), Some(1), "its log is kept: {run}");
    }
    assert_eq!(own.settled_twice().await, 0, "a step was settled twice");
}

/// Runs that are submitted all the time.
#[derive(Default)]
struct Load {
    /// Ids of the accepted runs.
    accepted: Mutex<Vec<String>>,
    refused: AtomicUsize,
    is_finished: AtomicBool,
}

impl Load {
    fn accepted(&self) -> usize {
        self.accepted.lock().expect("not poisoned").len()
    }

    /// Waits until so many more are accepted.
    async fn accepts(&self, more: usize) {
        let enough = self.accepted() + more;
        self.until(|load| load.accepted() >= enough).await;
    }

    /// Waits until one more is refused.
    async fn is_refused(&self) {
        let before = self.refused.load(Ordering::Relaxed);
        self.until(|load| load.refused.load(Ordering::Relaxed) > before).await;
    }

    async fn until(&self, ready: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !ready(self) {
            assert!(begun.elapsed() < WAIT_LIMIT, "{} are accepted, {:?} refused", self.accepted(), self.refused);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Submits until it is stopped: a step that needs a secret, saves a log, and takes a moment.
async fn submit(api: Api, load: Arc<Load>) {
    let step = json!({"name": "a", "tool": "bash", "inputs": {"script": "sleep 0.1; echo done"}, "secrets": ["KEY"]});
    while !load.is_finished.load(Ordering::Relaxed) {
        let request = api.client.post(format!("{}/api/runs", api.url)).bearer_auth(&api.token).timeout(Duration::from_secs(60));
        let answer = request.json(&json!({"plan": {"goal": "load", "steps": [step]}})).send().await.expect("the function answers");
        if answer.status() == 201 {
            let run: Value = answer.json().await.expect("JSON");
            load.accepted.lock().expect("not poisoned").push(run["id"].as_str().expect("an id").to_owned());
        } else {
            assert_eq!(answer.status(), 503);
            load.refused.fetch_add(1, Ordering::Relaxed);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[derive(Clone)]
struct Api {
    client: Client,
    url: String,
    token: String,
}

impl Api {
    async fn get(&self, path: &str) -> reqwest::Response {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.token).timeout(Duration::from_secs(60));
        request.send().await.expect("the function answers")
    }

    async fn is_refused(&self, path: &str) {
        let answer = self.get(path).await;
        let retry = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse::<u32>().ok());
        let (status, problem): (_, Value) = (answer.status(), answer.json().await.expect("a problem"));
        assert!(status == 503 && retry.is_some() && problem["title"].is_string(), "{path}: {status} {retry:?} {problem}");
    }

    /// The run, once `ready` says so.
    async fn wait(&self, id: &str, ready: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let run: Value = self.get(&format!("/api/runs/{id}")).await.json().await.expect("JSON");
            if ready(&run) {
                return run;
            }
            assert!(begun.elapsed() < WAIT_LIMIT, "{run}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Submits a plan; the run's id.
    async fn submit(&self, plan: &Value) -> String {
        let request = self.client.post(format!("{}/api/runs", self.url)).bearer_auth(&self.token).json(&json!({"plan": plan}));
        let run: Value = request.send().await.expect("the function answers").json().await.expect("JSON");
        run["id"].as_str().unwrap_or_else(|| panic!("{run}")).to_owned()
    }
}
