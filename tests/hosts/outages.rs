//! Loss of what NOFX stands on, under load: functions and a worker whose ways to PostgREST, to the rest of Supabase, and to AWS are
//! cut one after the other.
#![expect(clippy::disallowed_methods, reason = "starts a worker, and a flag makes the outages long")]

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nofx_tests::faults::Way;
use nofx_tests::own::Own;
use nofx_tests::stack::binary;
use nofx_tests::vercel::Deployment;
use reqwest::Client;
use serde_json::{Value, json};

use crate::settings;
use crate::vercel::built;

/// How long each way stays cut; half a minute with `NOFX_TEST_LONG` set.
fn outage() -> Duration {
    Duration::from_secs(if std::env::var_os("NOFX_TEST_LONG").is_some() { 30 } else { 6 })
}

struct Ended(Child);

impl Drop for Ended {
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
        .envs([("SECRETS_DRIVER", "aws"), ("SECRETS_TTL_S", "1"), ("NOFX_LEASE_S", "3"), ("RUST_LOG", "error")])
        .stderr(Stdio::null())
        .spawn();
    let _worker = Ended(worker.expect("it starts"));

    let api = Api {
        client: nofx_shared::net::client(),
        url: deployment.url.clone(),
        token: dev["tokens"]["admin"].as_str().expect("a token").to_owned(),
    };
    let over = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn(submit(api.clone(), Arc::clone(&over)));
    let artifact = api.artifact().await;
    for (name, way) in [("PostgREST", &rest), ("Storage and Realtime", &supabase), ("the queue and the secrets", &aws)] {
        way.cut();
        tokio::time::sleep(outage() / 2).await;
        // What needs it is refused in good order, the rest is served.
        match name {
            "PostgREST" => api.is_refused("/api/runs").await,
            "Storage and Realtime" => {
                api.is_refused(&format!("/api/artifacts/{artifact}/content")).await;
                assert_eq!(api.get("/api/runs").await.status(), 200);
            }
            _ => assert_eq!(api.get("/api/runs").await.status(), 200),
        }
        assert_eq!(api.get("/api/health").await.status(), 200, "without {name}");
        tokio::time::sleep(outage() / 2).await;
        way.mend();
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    over.store(true, Ordering::Relaxed);
    let (accepted, refused) = load.await.expect("the load");
    assert!(accepted.len() > 10 && refused > 0, "{} runs were accepted and {refused} refused", accepted.len());
    for id in &accepted {
        let run = api.end(id).await;
        assert_eq!(run["status"], "succeeded", "{run}");
        assert_eq!(run["artifacts"].as_array().map(Vec::len), Some(1), "its log is kept: {run}");
    }
    assert_eq!(own.settled_twice().await, 0, "a step was settled twice");
}

/// Submits until told to stop: a step that needs a secret, keeps a log, and takes a moment. Ids of what was accepted, and how often it was refused.
async fn submit(api: Api, over: Arc<AtomicBool>) -> (Vec<String>, usize) {
    let step = json!({"name": "a", "tool": "bash", "inputs": {"script": "sleep 0.1; echo done"}, "secrets": ["KEY"]});
    let (mut accepted, mut refused) = (vec![], 0);
    while !over.load(Ordering::Relaxed) {
        let request = api.client.post(format!("{}/api/runs", api.url)).bearer_auth(&api.token).timeout(Duration::from_secs(15));
        let answer = request.json(&json!({"plan": {"goal": "load", "steps": [step]}})).send().await.expect("the function answers");
        if answer.status() == 201 {
            let run: Value = answer.json().await.expect("JSON");
            accepted.push(run["id"].as_str().expect("an id").to_owned());
        } else {
            assert_eq!(answer.status(), 503);
            refused += 1;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    (accepted, refused)
}

#[derive(Clone)]
struct Api {
    client: Client,
    url: String,
    token: String,
}

impl Api {
    async fn get(&self, path: &str) -> reqwest::Response {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.token).timeout(Duration::from_secs(15));
        request.send().await.expect("the function answers")
    }

    async fn is_refused(&self, path: &str) {
        let answer = self.get(path).await;
        let retry = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse::<u32>().ok());
        let (status, problem): (_, Value) = (answer.status(), answer.json().await.expect("a problem"));
        assert!(status == 503 && retry.is_some() && problem["title"].is_string(), "{path}: {status} {retry:?} {problem}");
    }

    async fn end(&self, id: &str) -> Value {
        let begun = Instant::now();
        loop {
            let run: Value = self.get(&format!("/api/runs/{id}")).await.json().await.expect("JSON");
            if matches!(run["status"].as_str(), Some("succeeded" | "failed" | "cancelled")) {
                return run;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{run}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Id of an artifact that is there.
    async fn artifact(&self) -> String {
        let plan = json!({"goal": "artifact", "steps": [{"name": "a", "tool": "bash", "inputs": {"script": "true"}}]});
        let request = self.client.post(format!("{}/api/runs", self.url)).bearer_auth(&self.token).json(&json!({"plan": plan}));
        let run: Value = request.send().await.expect("the function answers").json().await.expect("JSON");
        let run = self.end(run["id"].as_str().unwrap_or_else(|| panic!("{run}"))).await;
        run["artifacts"][0]["id"].as_str().unwrap_or_else(|| panic!("{run}")).to_owned()
    }
}
