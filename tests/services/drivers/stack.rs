use nofx_tests::WAIT_LIMIT;
use std::time::{Duration, Instant};

use nofx_tests::fakes::e2b::E2b;
use nofx_tests::fakes::ecs::Ecs;
use nofx_tests::fakes::modal::Modal;
use nofx_tests::own::{Own, is_finished};
use nofx_tests::people::step;
use reqwest::Method;
use serde_json::{Value, json};

use super::meeting::{Meeting, STEPS};

/// A driver as the suite knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Driver {
    pub name: &'static str,
    pub placement: Option<&'static str>,
    /// What its attempts report.
    pub level: &'static str,
}

/// The one list of drivers.
pub(super) const LOCAL_L1: Driver = Driver { name: "worker-container", placement: None, level: "L1" };
pub(super) const LOCAL: Driver = Driver { level: "L2", ..LOCAL_L1 };
pub(super) const LOCAL_L3: Driver = Driver { level: "L3", ..LOCAL_L1 };
pub(super) const E2B: Driver = Driver { name: "e2b", placement: None, level: "L4" };
pub(super) const MODAL: Driver = Driver { name: "modal", placement: None, level: "L4" };
pub(super) const TASK: Driver = Driver { name: "worker-container", placement: Some("task"), level: "L4" };
/// Each place where programs run; of the worker's own machine the level that steps have when nothing says otherwise.
pub(super) const ALL: [Driver; 4] = [LOCAL, E2B, MODAL, TASK];

/// A stack whose workers have drivers, by stand-ins of their providers.
pub(super) struct Stack {
    pub own: Own,
    pub e2b: E2b,
    modal: Option<Modal>,
    ecs: Option<Ecs>,
    /// What programs reach that have a network.
    pub meeting: Meeting,
}

impl Stack {
    pub(super) async fn start(name: &str, drivers: &[Driver]) -> Self {
        Self::start_with(name, drivers, &[]).await
    }

    pub(super) async fn start_with(name: &str, drivers: &[Driver], more: &[(&str, &str)]) -> Self {
        let e2b = E2b::start().await;
        let modal = drivers.contains(&MODAL).then(Modal::start);
        let ecs = if drivers.contains(&TASK) { Some(Ecs::start().await) } else { None };
        let given: Vec<(String, String)> =
            [e2b.settings(), modal.iter().flat_map(Modal::settings).collect(), ecs.iter().flat_map(Ecs::settings).collect()].concat();
        let mut settings: Vec<(&str, &str)> = given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        settings.push(("NOFX_SECRET_CONFORMANCE", "hunter2-hunter2"));
        let meeting = Meeting::start();
        let ports = format!("22,53,80,443,9418,{}", meeting.port);
        // All steps that meet, and what moves their files.
        let processes = (STEPS + 8).to_string();
        settings.extend([("NOFX_STEP_PORTS", ports.as_str()), ("NOFX_PROCESSES", &processes)]);
        if drivers.contains(&LOCAL_L1) {
            settings.push(("NOFX_ISOLATION_FLOOR", "L1"));
        }
        settings.extend(more);
        Self { own: Own::start_with(&Own::folder(name), &["--workers", "1"], &settings), e2b, modal, ecs, meeting }
    }

    pub(super) fn modal(&self) -> &Modal {
        self.modal.as_ref().expect("it was started with Modal")
    }

    pub(super) fn ecs(&self) -> &Ecs {
        self.ecs.as_ref().expect("it was started with ECS")
    }

    /// Machines that are there.
    fn machines(&self) -> usize {
        self.e2b.alive() + self.modal.as_ref().map_or(0, Modal::alive) + self.ecs.as_ref().map_or(0, Ecs::running)
    }

    /// A run of one step.
    pub(super) async fn step(&self, step: &Value) -> Value {
        self.own.run(&json!({"goal": "try", "steps": [step]})).await
    }

    /// The text of an artifact that a step saved.
    pub(super) async fn artifact(&self, run: &Value, step_name: &str, name: &str) -> String {
        let id = &step(run, step_name)["id"];
        let found = run["artifacts"].as_array().expect("artifacts").iter().find(|one| one["step_id"] == *id && one["name"] == name);
        let found = found.unwrap_or_else(|| panic!("{step_name} saved no {name}: {run}"))["id"].as_str().expect("an id");
        let dev = self.own.dev();
        let url = format!("{}/api/artifacts/{found}/content", dev["api_url"].as_str().expect("a URL"));
        let client = nofx_shared::net::client();
        let answer = client.get(url).bearer_auth(dev["tokens"]["viewer"].as_str().expect("a token")).send().await.expect("an answer");
        let place = answer.headers()["location"].to_str().expect("a URL").to_owned();
        client.get(place).send().await.expect("an answer").text().await.expect("text")
    }

    /// The events of a run with this type.
    pub(super) async fn events(&self, run: &Value, kind: &str) -> Vec<Value> {
        let path = format!("/api/runs/{}/timeline", run["id"].as_str().expect("an id"));
        let page = self.own.call(Method::GET, &path, None).await.expect("a timeline");
        page["data"].as_array().expect("events").iter().filter(|event| event["type"] == kind).cloned().collect()
    }

    /// The run, once a process of this machine has the mark as its name.
    pub(super) async fn runs(&self, run: &str, mark: &str) {
        let begun = Instant::now();
        while !is_there(mark) {
            let now = self.own.call(Method::GET, &format!("/api/runs/{run}"), None).await.expect("a run");
            assert!(!is_finished(&now) && begun.elapsed() < WAIT_LIMIT, "{mark} does not run: {now}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until nothing of that name runs, and no machine is there.
    pub(super) async fn is_gone(&self, mark: &str) {
        let begun = Instant::now();
        while is_there(mark) {
            assert!(begun.elapsed() < WAIT_LIMIT, "{mark} still runs");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(super) async fn has_no_machine(&self) {
        let begun = Instant::now();
        while self.machines() > 0 {
            assert!(begun.elapsed() < WAIT_LIMIT, "{} machines are left", self.machines());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Whether a process of this machine has this name: those of machines are processes of this one, too.
pub(super) fn is_there(mark: &str) -> bool {
    std::fs::read_dir("/proc").expect("processes").flatten().any(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        line.starts_with(mark.as_bytes())
    })
}

/// A name that no other process has.
pub(super) fn mark(of: &str) -> String {
    format!("nofx-{of}-{}", uuid::Uuid::now_v7().simple())
}

/// A step of bash on a driver.
pub(super) fn bash(driver: Driver, script: &str, more: &Value) -> Value {
    let mut step = json!({"name": "try", "tool": "bash", "driver": driver.name, "inputs": {"script": script}});
    match driver.placement {
        Some(placement) => step["placement"] = placement.into(),
        None if driver.name == LOCAL.name => step["min_isolation"] = driver.level.into(),
        None => {}
    }
    for (name, value) in more.as_object().expect("an object") {
        match name.as_str() {
            "artifacts" | "cwd" | "argv" => step["inputs"][name] = value.clone(),
            _ => step[name] = value.clone(),
        }
    }
    step
}
