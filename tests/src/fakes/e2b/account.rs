use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::fault::error;
use super::sandbox::Sandbox;
use super::{Call, Fault, envd};

/// The key of the account.
const KEY: &str = "e2b_key-of-the-account";
/// Of one page of a list: small, so that there are several.
const PAGE: usize = 3;

#[derive(Clone)]
pub struct E2b {
    pub url: String,
    state: Arc<Mutex<FakeState>>,
}

#[derive(Default)]
struct FakeState {
    faults: BTreeMap<Call, VecDeque<Fault>>,
    sandboxes: BTreeMap<String, Arc<Sandbox>>,
    created: Vec<Value>,
    calls: Vec<Call>,
}

impl E2b {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let e2b = Self { url: format!("http://{}", listener.local_addr().expect("an address")), state: Arc::default() };
        let router = Router::new()
            .route("/sandboxes", post(create))
            .route("/sandboxes/{id}", delete(end))
            .route("/v2/sandboxes", get(list))
            .route("/files", get(envd::download).post(envd::upload))
            .route("/process.Process/Start", post(envd::start))
            .layer(DefaultBodyLimit::disable())
            .with_state(e2b.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        e2b
    }

    /// The settings of a worker that calls this stand-in.
    pub fn settings(&self) -> Vec<(String, String)> {
        let all = [("E2B_API_URL", self.url.as_str()), ("E2B_SANDBOX_URL", &self.url), ("E2B_API_KEY", KEY)];
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// The faults of the next calls.
    pub fn will(&self, call: Call, faults: &[Fault]) {
        self.state().faults.entry(call).or_default().extend(faults);
    }

    /// The bodies of all requests that created a sandbox.
    pub fn created(&self) -> Vec<Value> {
        self.state().created.clone()
    }

    /// How many calls of this kind came.
    pub fn count(&self, call: Call) -> usize {
        self.state().calls.iter().filter(|one| **one == call).count()
    }

    /// How many sandboxes are there.
    pub fn alive(&self) -> usize {
        self.state().sandboxes.len()
    }

    /// The command lines of all that runs in sandboxes of a step.
    pub async fn processes(&self, step: &str) -> Vec<String> {
        let of_step: Vec<_> = self.state().sandboxes.values().filter(|one| one.metadata["step"] == step).cloned().collect();
        let mut all = vec![];
        for sandbox in of_step {
            all.extend(sandbox.machine.processes().await);
        }
        all
    }

    /// A sandbox that nobody of this deployment made.
    pub async fn make_of_others(&self, metadata: &Value) {
        let sandbox = Sandbox::new(&json!({"metadata": metadata})).await;
        self.state().sandboxes.insert(sandbox.id.clone(), Arc::new(sandbox));
    }

    fn state(&self) -> MutexGuard<'_, FakeState> {
        self.state.lock().expect("not poisoned")
    }

    /// Records a call; the fault that is next.
    pub(super) fn next(&self, call: Call) -> Option<Fault> {
        let mut state = self.state();
        state.calls.push(call);
        state.faults.get_mut(&call).and_then(VecDeque::pop_front)
    }

    /// The sandbox that a call of `envd` is for, if its token is right.
    pub(super) fn sandbox(&self, headers: &HeaderMap) -> Result<Arc<Sandbox>, Box<Response>> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let found = self.state().sandboxes.get(text("e2b-sandbox-id")).cloned();
        let found = found.filter(|_| text("e2b-sandbox-port") == "49983");
        let found = found.ok_or_else(|| Box::new(error(502, "The sandbox was not found")))?;
        let is_known = text("x-access-token") == found.token && text("authorization").starts_with("Basic dXNlcjo");
        if is_known { Ok(found) } else { Err(Box::new(error(401, "Unauthorized"))) }
    }

    pub(super) fn kill(&self, id: &str) -> bool {
        self.state().sandboxes.remove(id).inspect(|sandbox| sandbox.machine.end()).is_some()
    }
}

fn refuse_others(headers: &HeaderMap) -> Option<Response> {
    headers.get("x-api-key").is_none_or(|key| key != KEY).then(|| error(401, "Invalid API key"))
}

async fn create(State(e2b): State<E2b>, headers: HeaderMap, Json(asked): Json<Value>) -> Response {
    let fault = e2b.next(Call::Create);
    if let Some(refusal) = refuse_others(&headers) {
        return refusal;
    }
    if let Some(fault) = fault
        && let Some(refusal) = fault.refusal().await
    {
        return refusal;
    }
    let (Some(template), Some(timeout)) = (asked["templateID"].as_str(), asked["timeout"].as_u64()) else {
        return error(400, "templateID and timeout are required");
    };
    if template.starts_with("missing") {
        return error(404, &format!("template '{template}' not found"));
    }
    if timeout > 86_400 {
        return error(400, "Timeout cannot be greater than 24 hours");
    }
    let sandbox = Arc::new(Sandbox::new(&asked).await);
    let answer = json!({"templateID": template, "sandboxID": sandbox.id, "clientID": "x", "envdVersion": "0.5.0",
        "envdAccessToken": sandbox.token, "domain": null});
    let id = sandbox.id.clone();
    {
        let mut state = e2b.state();
        state.created.push(asked);
        state.sandboxes.insert(id.clone(), sandbox);
    }
    let ends = e2b.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(timeout)).await;
        ends.kill(&id);
    });
    if matches!(fault, Some(Fault::Unanswered)) {
        error(500, "internal error")
    } else {
        (StatusCode::CREATED, Json(answer)).into_response()
    }
}

async fn end(State(e2b): State<E2b>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    let fault = e2b.next(Call::Kill);
    if let Some(refusal) = refuse_others(&headers) {
        return refusal;
    }
    if let Some(fault) = fault
        && let Some(refusal) = fault.refusal().await
    {
        return refusal;
    }
    if e2b.kill(&id) { StatusCode::NO_CONTENT.into_response() } else { error(404, "Sandbox not found") }
}

async fn list(State(e2b): State<E2b>, headers: HeaderMap, Query(query): Query<BTreeMap<String, String>>) -> Response {
    let fault = e2b.next(Call::List);
    if let Some(refusal) = refuse_others(&headers) {
        return refusal;
    }
    if let Some(fault) = fault
        && let Some(refusal) = fault.refusal().await
    {
        return refusal;
    }
    let wanted =
        query.get("metadata").and_then(|text| text.split_once('=')).map(|(name, value)| (name.to_owned(), value.replace("%3A", ":")));
    let after = query.get("nextToken").cloned().unwrap_or_default();
    let found: Vec<Value> = e2b
        .state()
        .sandboxes
        .values()
        .filter(|one| wanted.as_ref().is_none_or(|(name, value)| one.metadata.get(name) == Some(value)) && one.id > after)
        .map(|one| json!({"sandboxID": one.id, "templateID": "base", "clientID": "x", "state": "running", "metadata": one.metadata}))
        .collect();
    let next = found.get(PAGE - 1).filter(|_| found.len() > PAGE).map(|last| last["sandboxID"].as_str().unwrap_or_default().to_owned());
    let mut response = Json(found.into_iter().take(PAGE).collect::<Vec<_>>()).into_response();
    if let Some(next) = next {
        response.headers_mut().insert("x-next-token", next.parse().expect("a header"));
    }
    response
}
