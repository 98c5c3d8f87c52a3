//! People who act: one for each role, in a tenant of the test's own.

use crate::WAIT_LIMIT;
use std::time::{Duration, Instant};

use nofx_shared::auth::{Role, sign_for, sign_for_api};
use nofx_shared::crypto::Keyring;
use nofx_shared::db::Db;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stack::{STACK, binary};

pub struct Tenant {
    pub id: Uuid,
}

pub struct Person {
    http: reqwest::Client,
    pub token: String,
}

/// The exit code and output of a command line.
#[derive(Debug)]
pub struct CommandOutput {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl CommandOutput {
    /// Its output, as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Tenant {
    pub async fn new() -> Self {
        let id = Uuid::now_v7();
        service().call::<_, Uuid>("create_tenant", &json!({"p_id": id, "p_name": "test"})).await.expect("a tenant is made");
        Self { id }
    }

    pub fn person(&self, role: Role) -> Person {
        Person::with_token(sign_for(STACK.get("jwt_secret"), &Uuid::now_v7().to_string(), self.id, role, 3600))
    }

    pub fn viewer(&self) -> Person {
        self.person(Role::Viewer)
    }

    pub fn contributor(&self) -> Person {
        self.person(Role::Contributor)
    }

    pub fn supervisor(&self) -> Person {
        self.person(Role::Supervisor)
    }

    pub fn admin(&self) -> Person {
        self.person(Role::Admin)
    }

    /// The database as the API calls it for a person of this role.
    pub fn database(&self, role: Role) -> Db {
        let token = sign_for_api(STACK.get("jwt_secret"), &Uuid::now_v7().to_string(), self.id, role, None);
        Db::new(STACK.get("rest_url"), STACK.get("anon_key"), token).sealing_with(&keys())
    }

    /// A run whose rows no check has seen, as the owner of the database could write them: name, tool and spec of each step. Its id.
    pub async fn plant(&self, steps: &[(String, &str, Value)]) -> String {
        let id = Uuid::now_v7();
        let row = |(name, tool, _): &(String, &str, Value)| json!({"name": name, "tool": tool, "needs": [], "on_failure": "continue"});
        let rows: Value = steps.iter().map(row).collect();
        let mut sql = STACK.sql().await;
        let planting = sql.transaction().await.expect("a transaction");
        let service = "set local request.jwt.claims = '{\"role\": \"service_role\"}'";
        planting.batch_execute(service).await.expect("as the service");
        let create = "select nofx.create_run($1, '{\"goal\": \"planted\"}', $2, $3)";
        planting.query_one(create, &[&id, &rows, &self.id]).await.expect("a run");
        for (name, _, spec) in steps {
            let plant = "update nofx.step set spec = $1 where run_id = $2 and name = $3";
            planting.execute(plant, &[spec, &id, name]).await.expect("planted");
        }
        planting.commit().await.expect("committed");
        id.to_string()
    }

    /// A request of an admin who operates the deployment.
    pub fn operator(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.admin().request(method, path).header("x-internal-api-key", STACK.get("internal_api_key"))
    }

    /// Lets its hooks and steps reach this machine. Not through the API: each of its processes would cache for some seconds that
    /// the tenant has no hooks, and a test sets one right after this.
    pub async fn allow_loopback(&self) {
        let allow = "insert into nofx.allowed_network (tenant_id, network) values ($1, '127.0.0.1')";
        STACK.sql().await.execute(allow, &[&self.id]).await.expect("it is allowed");
    }
}

/// The database as the worker sees it.
pub fn service() -> Db {
    Db::new(STACK.get("rest_url"), STACK.get("anon_key"), STACK.get("service_role_key")).sealing_with(&keys())
}

/// The keys that the stack seals with.
pub fn keys() -> Keyring {
    STACK.get("encryption_keys").parse().expect("keys")
}

/// Watches the queues of all tenants once. A call does nothing while another one is under way, so it waits for that one.
pub async fn look() {
    let look = "begin; select pg_advisory_xact_lock(hashtextextended('nofx_watch', 0)); select nofx.watch_queues(); commit";
    STACK.sql().await.batch_execute(look).await.expect("a look");
}

impl Person {
    pub fn with_token(token: impl Into<String>) -> Self {
        Self { http: nofx_shared::net::client(), token: token.into() }
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", STACK.get("api_url"))).bearer_auth(&self.token)
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        answer(self.request(Method::POST, path).json(&body)).await
    }

    /// Runs `nofx` as this person, and waits until it exits.
    #[expect(clippy::disallowed_methods, reason = "starts the CLI as a user would")]
    pub fn nofx(&self, arguments: &[&str]) -> CommandOutput {
        let mut command = std::process::Command::new(binary());
        let command = command.args(arguments).env("NOFX_API_URL", STACK.get("api_url")).env("NOFX_TOKEN", &self.token);
        let output = command.output().expect("nofx starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        CommandOutput { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// A request of a browser in which it is signed in.
    pub fn browse(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", STACK.get("api_url")));
        request.header("cookie", format!("nofx_session={}", self.token)).header("sec-fetch-site", "same-origin")
    }

    /// The token in the forms of a page, which no other site has.
    pub async fn form_token(&self, page: &str) -> String {
        let html = self.browse(Method::GET, page).send().await.expect("an answer").text().await.expect("text");
        html.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a form").to_owned()
    }

    /// Sends a form of a page; the notice of the next page: `+` and its text, or `-`.
    pub async fn send_form(&self, page: &str, form: &str, fields: &[(&str, &str)]) -> String {
        let token = self.form_token(page).await;
        let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("csrf", token.as_str())]).collect();
        let answer = self.browse(Method::POST, form).form(&fields).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{form}");
        let set = answer.headers().get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
        let notice = set.filter_map(|cookie| cookie.strip_prefix("nofx_notice=")?.split(';').next()).next().unwrap_or_default().to_owned();
        notice.replace("%20", " ").replace("%2E", ".").replace("%3A", ":").replace("%3B", ";")
    }

    /// Submits a plan; its id.
    pub async fn submit(&self, plan: Value) -> String {
        let (status, body) = self.post("/api/runs", json!({"plan": plan})).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
        body["id"].as_str().expect("an id").to_owned()
    }

    /// The run, once `ready` says so.
    pub async fn wait(&self, run: &str, ready: impl Fn(&Value) -> bool) -> Value {
        let begin = Instant::now();
        loop {
            let (_, body) = self.get(&format!("/api/runs/{run}")).await;
            if ready(&body) {
                return body;
            }
            assert!(begin.elapsed() < WAIT_LIMIT, "it did not come to that in time: {body}");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// The run, once it has finished.
    pub async fn end(&self, run: &str) -> Value {
        self.wait(run, |run| matches!(run["status"].as_str(), Some("succeeded" | "failed" | "cancelled"))).await
    }

    /// Submits a plan and waits until the run has finished.
    pub async fn run(&self, plan: Value) -> Value {
        let id = self.submit(plan).await;
        self.end(&id).await
    }

    /// Events of the log, once there are as many: readers see it only up to the oldest open transaction of any test.
    pub async fn events(&self, query: &str, wanted: usize) -> Vec<Value> {
        let begin = Instant::now();
        loop {
            let (_, page) = self.get(&format!("/api/events?limit=100&{query}")).await;
            let events = page["data"].as_array().unwrap_or_else(|| panic!("{page}"));
            if events.len() >= wanted {
                return events.clone();
            }
            assert!(begin.elapsed() < WAIT_LIMIT, "{} of {wanted} events ({query}) were there in time", events.len());
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Types of the run's events with the step's name, oldest first.
    pub async fn run_events(&self, run: &str) -> Vec<String> {
        let (_, page) = self.get(&format!("/api/runs/{run}/timeline")).await;
        let events = page["data"].as_array().expect("events").iter();
        events
            .map(|event| {
                format!("{} {}", event["type"].as_str().unwrap_or(""), event["data"]["name"].as_str().unwrap_or("")).trim().to_owned()
            })
            .collect()
    }
}

pub async fn answer(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.expect("the API answers");
    let status = response.status();
    (status, response.json().await.unwrap_or_default())
}

/// A step of a run by its name.
pub fn step<'a>(run: &'a Value, name: &str) -> &'a Value {
    run["steps"]
        .as_array()
        .and_then(|steps| steps.iter().find(|step| step["name"] == name))
        .unwrap_or_else(|| panic!("no step {name} in {run}"))
}

pub fn status<'a>(run: &'a Value, name: &str) -> &'a str {
    step(run, name)["status"].as_str().unwrap_or("")
}

impl Person {
    /// The text of an artifact that a step of the run saved.
    pub async fn kept(&self, run: &Value, step_name: &str, artifact: &str) -> String {
        let step = &step(run, step_name)["id"];
        let artifacts = run["artifacts"].as_array().expect("artifacts");
        let found = artifacts.iter().rev().find(|one| one["step_id"] == *step && one["name"] == artifact);
        let id = found.unwrap_or_else(|| panic!("{step_name} keeps no {artifact}: {run}"))["id"].as_str().expect("an id");
        let response = self.request(Method::GET, &format!("/api/artifacts/{id}/content")).send().await.expect("the API answers");
        let signed = response.headers()["location"].to_str().expect("a URL").to_owned();
        // The signed URL needs no other credential.
        let response = self.http.get(signed).send().await.expect("Storage answers");
        assert!(response.status().is_success(), "{}", response.status());
        response.text().await.expect("a body")
    }

    /// The evidence of a gate: for `gate:unit`, gate-unit.json.
    pub async fn evidence(&self, run: &Value, step_name: &str) -> Value {
        let tool = step(run, step_name)["tool"].as_str().expect("a tool").replace(':', "-");
        serde_json::from_str(&self.kept(run, step_name, &format!("{tool}.json")).await).expect("evidence is JSON")
    }
}
