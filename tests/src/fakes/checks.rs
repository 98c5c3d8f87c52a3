//! GitHub's Check Runs and tokens of GitHub Apps, from their published shapes: invalid requests are refused.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::net::TcpListener;

/// The id of the App that shows the checks.
pub const APP: u64 = 4711;

#[derive(Clone)]
pub struct Checks {
    pub url: String,
    state: Arc<Mutex<FakeState>>,
}

#[derive(Default)]
struct FakeState {
    /// Each check as it is now, and all its earlier states.
    checks: Vec<Value>,
    /// Whether the next one is created although its response is lost.
    loses_answer: bool,
    tokens_made: usize,
    refused: Vec<String>,
}

impl Checks {
    /// The body of GitHub's webhook `check_run`, action `rerequested`: "Re-run" of one check.
    pub fn rerequested(repository: &str, app: u64, external_id: &Value) -> Value {
        let run = json!({
            "id": 128_620_228, "node_id": "CR_1", "head_sha": "0".repeat(40), "external_id": external_id, "status": "completed",
            "conclusion": "failure", "name": "lint", "check_suite": {"id": 118_578_147, "head_branch": "changes"}, "app": app_of(app),
            "pull_requests": [],
        });
        webhook(repository, "check_run", &run)
    }

    /// The body of GitHub's webhook `check_suite`, action `rerequested`: "Re-run all checks" and "Re-run failed checks" of a commit.
    pub fn suite_rerequested(repository: &str, app: u64, head_sha: &str) -> Value {
        let suite = json!({
            "id": 118_578_147, "node_id": "CS_1", "head_branch": "changes", "head_sha": head_sha, "status": "queued", "conclusion": null,
            "url": format!("https://api.github.com/repos/{repository}/check-suites/118578147"), "before": null, "after": null,
            "pull_requests": [], "app": app_of(app), "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:06Z",
            "rerequestable": true, "runs_rerequestable": true, "latest_check_runs_count": 3,
            "check_runs_url": format!("https://api.github.com/repos/{repository}/check-suites/118578147/check-runs"),
            "head_commit": {"id": head_sha, "tree_id": "0".repeat(40), "message": "change", "timestamp": "2026-01-02T03:04:04Z"},
        });
        webhook(repository, "check_suite", &suite)
    }

    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let checks = Self { url, state: Arc::default() };
        let router = Router::new()
            .route("/repos/{owner}/{name}/check-runs", post(make))
            .route("/repos/{owner}/{name}/check-runs/{id}", patch(change))
            .route("/repos/{owner}/{name}/commits/{sha}/check-runs", get(list))
            .route("/repos/{owner}/{name}/installation", get(installation))
            .route("/app/installations/{id}/access_tokens", post(access_token))
            .with_state(checks.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        checks
    }

    pub fn lose_an_answer(&self) {
        self.state.lock().expect("not poisoned").loses_answer = true;
    }

    /// Checks with all their annotations, and the states that each was in as `states`.
    pub fn all(&self) -> Vec<Value> {
        self.state.lock().expect("not poisoned").checks.clone()
    }

    pub fn tokens_made(&self) -> usize {
        self.state.lock().expect("not poisoned").tokens_made
    }

    /// Requests that GitHub would have refused.
    pub fn refused(&self) -> Vec<String> {
        self.state.lock().expect("not poisoned").refused.clone()
    }

    fn refuse(&self, status: StatusCode, why: String) -> Response {
        let answer = (status, axum::Json(json!({"message": why}))).into_response();
        self.state.lock().expect("not poisoned").refused.push(why);
        answer
    }

    fn admit(&self, headers: &HeaderMap) -> Option<Response> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !matches!(text("authorization"), "Bearer installation-token" | "Bearer plain-token-123") {
            return Some(self.refuse(StatusCode::UNAUTHORIZED, "Bad credentials".to_owned()));
        }
        let is_valid = text("accept") == "application/vnd.github+json"
            && !text("user-agent").is_empty()
            && text("x-github-api-version") == "2022-11-28";
        (!is_valid).then(|| self.refuse(StatusCode::BAD_REQUEST, "headers".to_owned()))
    }
}

fn app_of(id: u64) -> Value {
    json!({"id": id, "slug": "nofx", "node_id": "A_1", "owner": {"login": "acme", "id": 1, "type": "Organization"}, "name": "nofx", "events": []})
}

fn webhook(repository: &str, subject: &str, of: &Value) -> Value {
    let (owner, name) = repository.split_once('/').unwrap_or_default();
    let owner = json!({"login": owner, "id": 1, "type": "Organization"});
    json!({
        "action": "rerequested", subject: of, "installation": {"id": 99, "node_id": "I_1"}, "sender": {"login": "bob", "id": 2, "type": "User"},
        "repository": {"id": 3, "node_id": "R_1", "name": name, "full_name": repository, "private": false, "owner": owner},
    })
}

/// The faults of a check's body.
fn fault(body: &Value, is_new: bool) -> Option<String> {
    if is_new && !(body["name"].is_string() && body["head_sha"].as_str().is_some_and(|sha| sha.len() == 40)) {
        return Some("name and head_sha are required".to_owned());
    }
    if let Some(status) = body["status"].as_str() {
        if !matches!(status, "queued" | "in_progress" | "completed") {
            return Some(format!("no status {status}"));
        }
        let conclusions = ["action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out"];
        if (status == "completed") != body["conclusion"].as_str().is_some_and(|one| conclusions.contains(&one)) {
            return Some(format!("status {status} with conclusion {}", body["conclusion"]));
        }
    }
    let output = &body["output"];
    let has_text = output["title"].is_string() && output["summary"].as_str().is_some_and(|text| text.len() <= 65_535);
    if !output.is_null() && !has_text {
        return Some("output needs a title and a summary".to_owned());
    }
    let annotations = output["annotations"].as_array().cloned().unwrap_or_default();
    if annotations.len() > 50 {
        return Some(format!("{} annotations", annotations.len()));
    }
    let is_valid = |one: &Value| {
        one["path"].is_string()
            && one["start_line"].is_u64()
            && one["end_line"].is_u64()
            && one["message"].is_string()
            && matches!(one["annotation_level"].as_str(), Some("notice" | "warning" | "failure"))
    };
    annotations.iter().find(|one| !is_valid(one)).map(|one| format!("annotation {one}"))
}

/// Takes over what a request says; annotations are added to those that are there.
fn merge(check: &mut Value, body: &Value) {
    for (key, value) in body.as_object().into_iter().flatten().filter(|(key, _)| *key != "output") {
        check[key] = value.clone();
    }
    if let Some(output) = body["output"].as_object() {
        check["title"] = output["title"].clone();
        check["summary"] = output["summary"].clone();
        let mut all = check["annotations"].as_array().cloned().unwrap_or_default();
        all.extend(output.get("annotations").and_then(Value::as_array).cloned().unwrap_or_default());
        check["annotations"] = json!(all);
    }
    let state = body["status"].clone();
    let mut states = check["states"].as_array().cloned().unwrap_or_default();
    if !state.is_null() && states.last() != Some(&state) {
        states.push(state);
    }
    check["states"] = json!(states);
}

async fn make(State(checks): State<Checks>, headers: HeaderMap, axum::Json(body): axum::Json<Value>) -> Response {
    if let Some(refusal) = checks.admit(&headers) {
        return refusal;
    }
    if let Some(why) = fault(&body, true) {
        return checks.refuse(StatusCode::UNPROCESSABLE_ENTITY, why);
    }
    let mut kept = checks.state.lock().expect("not poisoned");
    let mut check = json!({"id": kept.checks.len() + 100, "app": {"id": APP}});
    merge(&mut check, &body);
    kept.checks.push(check.clone());
    if std::mem::take(&mut kept.loses_answer) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    (StatusCode::CREATED, axum::Json(check)).into_response()
}

async fn change(
    State(checks): State<Checks>,
    Path((_, _, id)): Path<(String, String, usize)>,
    headers: HeaderMap,
    axum::Json(body): axum::Json<Value>,
) -> Response {
    if let Some(refusal) = checks.admit(&headers) {
        return refusal;
    }
    if let Some(why) = fault(&body, false) {
        return checks.refuse(StatusCode::UNPROCESSABLE_ENTITY, why);
    }
    let mut kept = checks.state.lock().expect("not poisoned");
    let Some(check) = kept.checks.get_mut(id.wrapping_sub(100)) else { return StatusCode::NOT_FOUND.into_response() };
    merge(check, &body);
    axum::Json(check.clone()).into_response()
}

async fn list(State(checks): State<Checks>, Query(asked): Query<BTreeMap<String, String>>, headers: HeaderMap) -> Response {
    if let Some(refusal) = checks.admit(&headers) {
        return refusal;
    }
    let found: Vec<Value> =
        checks.all().into_iter().filter(|check| check["name"].as_str() == asked.get("check_name").map(String::as_str)).collect();
    axum::Json(json!({"total_count": found.len(), "check_runs": found})).into_response()
}

/// Whether it is a JWT of the App: RS256, ten minutes at most.
fn is_of_app(headers: &HeaderMap) -> bool {
    let token = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer ")).unwrap_or_default();
    let part = |n: usize| -> Option<Value> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(n)?).ok()?).ok() };
    let (Some(head), Some(claims)) = (part(0), part(1)) else { return false };
    head["alg"] == "RS256"
        && claims["iss"].as_str().and_then(|id| id.parse().ok()) == Some(APP)
        && claims["exp"].as_i64().zip(claims["iat"].as_i64()).is_some_and(|(exp, iat)| exp - iat <= 600)
}

async fn installation(State(checks): State<Checks>, headers: HeaderMap) -> Response {
    if !is_of_app(&headers) {
        return checks.refuse(StatusCode::UNAUTHORIZED, "A JSON web token could not be decoded".to_owned());
    }
    axum::Json(json!({"id": 99, "account": {"login": "acme"}})).into_response()
}

async fn access_token(State(checks): State<Checks>, headers: HeaderMap) -> Response {
    if !is_of_app(&headers) {
        return checks.refuse(StatusCode::UNAUTHORIZED, "A JSON web token could not be decoded".to_owned());
    }
    checks.state.lock().expect("not poisoned").tokens_made += 1;
    (StatusCode::CREATED, axum::Json(json!({"token": "installation-token", "expires_at": "2099-01-01T00:00:00Z"}))).into_response()
}
