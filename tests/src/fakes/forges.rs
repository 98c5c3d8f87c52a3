//! GitHub's and Bitbucket's pull requests, from their published shapes: requests are checked, and what was opened is found again.
#![expect(clippy::result_large_err, reason = "a refusal is the answer itself")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::net::TcpListener;

#[derive(Clone)]
pub struct Forges {
    pub url: String,
    state: Arc<Mutex<FakeState>>,
}

#[derive(Default)]
struct FakeState {
    opened: Vec<Value>,
    /// Answers before the next ones: 429, 500, …
    faults: Vec<u16>,
    /// Whether the next one is opened although its response is lost.
    loses_answer: bool,
    requests: usize,
}

const TOKEN: &str = "forge-token-1234";

impl Forges {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let forges = Self { url, state: Arc::default() };
        let router = Router::new()
            .route("/github/repos/{owner}/{name}/pulls", get(github_list).post(github_open))
            .route("/bitbucket/repositories/{owner}/{name}/pullrequests", get(bitbucket_list).post(bitbucket_open))
            .with_state(forges.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        forges
    }

    /// The settings of a worker that uses this stand-in.
    pub fn settings(&self) -> Vec<(String, String)> {
        let name = |text: &str| text.to_owned();
        vec![
            (name("GITHUB_API_URL"), format!("{}/github", self.url)),
            (name("BITBUCKET_API_URL"), format!("{}/bitbucket", self.url)),
            (name("NOFX_SECRET_FORGE_TOKEN"), name(TOKEN)),
        ]
    }

    /// Answers with these statuses before anything else.
    pub fn fail(&self, statuses: &[u16]) {
        self.state.lock().expect("not poisoned").faults.extend(statuses);
    }

    /// Opens the next one and then breaks off.
    pub fn lose_an_answer(&self) {
        self.state.lock().expect("not poisoned").loses_answer = true;
    }

    pub fn opened(&self) -> Vec<Value> {
        self.state.lock().expect("not poisoned").opened.clone()
    }

    pub fn requests(&self) -> usize {
        self.state.lock().expect("not poisoned").requests
    }

    /// Checks the request as the forge does; the refusal if it is invalid.
    fn admit(&self, headers: &HeaderMap, accept: &str) -> Result<(), Response> {
        let mut kept = self.state.lock().expect("not poisoned");
        kept.requests += 1;
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let refuse =
            |status: u16, why: &str| (StatusCode::from_u16(status).expect("a status"), axum::Json(json!({"message": why}))).into_response();
        if text("authorization") != format!("Bearer {TOKEN}") {
            return Err(refuse(401, "Bad credentials"));
        }
        if text("user-agent").is_empty() || text("accept") != accept {
            return Err(refuse(400, "User-Agent and Accept are required"));
        }
        if !kept.faults.is_empty() {
            let status = kept.faults.remove(0);
            let mut response = refuse(status, "later");
            if status == 429 {
                response.headers_mut().insert("retry-after", "1".parse().expect("a header"));
            }
            return Err(response);
        }
        Ok(())
    }

    fn open(&self, pull_request: Value) -> Result<Value, Response> {
        let mut kept = self.state.lock().expect("not poisoned");
        kept.opened.push(pull_request.clone());
        if std::mem::take(&mut kept.loses_answer) {
            return Err(StatusCode::BAD_GATEWAY.into_response());
        }
        Ok(pull_request)
    }
}

type Place = Path<(String, String)>;

async fn github_list(
    State(forges): State<Forges>,
    Path((owner, _)): Place,
    Query(asked): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = forges.admit(&headers, "application/vnd.github+json") {
        return refusal;
    }
    let fits = |one: &&Value| {
        asked.get("head") == Some(&format!("{owner}:{}", one["head"]["ref"].as_str().unwrap_or_default()))
            && asked.get("state").is_some_and(|state| state == "open")
    };
    let found: Vec<Value> = forges.opened().iter().filter(fits).cloned().collect();
    axum::Json(found).into_response()
}

async fn github_open(
    State(forges): State<Forges>,
    Path((owner, name)): Place,
    headers: HeaderMap,
    axum::Json(body): axum::Json<Value>,
) -> Response {
    if let Err(refusal) = forges.admit(&headers, "application/vnd.github+json") {
        return refusal;
    }
    let number = forges.opened().len() + 1;
    let text = |key: &str| body[key].as_str().filter(|text| !text.is_empty());
    let (Some(title), Some(head), Some(base)) = (text("title"), text("head"), text("base")) else {
        return (StatusCode::UNPROCESSABLE_ENTITY, axum::Json(json!({"message": "Validation Failed"}))).into_response();
    };
    if forges.opened().iter().any(|one| one["head"]["ref"] == head) {
        let errors =
            json!([{"resource": "PullRequest", "code": "custom", "message": format!("A pull request already exists for {owner}:{head}.")}]);
        return (StatusCode::UNPROCESSABLE_ENTITY, axum::Json(json!({"message": "Validation Failed", "errors": errors}))).into_response();
    }
    let url = format!("https://github.com/{owner}/{name}/pull/{number}");
    let opened = json!({"number": number, "html_url": url, "state": "open", "title": title, "head": {"ref": head}, "base": {"ref": base}, "draft": body["draft"]});
    match forges.open(opened) {
        Ok(opened) => (StatusCode::CREATED, axum::Json(opened)).into_response(),
        Err(error) => error,
    }
}

async fn bitbucket_list(State(forges): State<Forges>, Query(asked): Query<BTreeMap<String, String>>, headers: HeaderMap) -> Response {
    if let Err(refusal) = forges.admit(&headers, "application/json") {
        return refusal;
    }
    let question = asked.get("q").cloned().unwrap_or_default();
    let fits = |one: &&Value| {
        question.contains(&format!("source.branch.name=\"{}\"", one["source"]["branch"]["name"].as_str().unwrap_or_default()))
    };
    let found: Vec<Value> = forges.opened().iter().filter(fits).cloned().collect();
    axum::Json(json!({"values": found, "size": found.len()})).into_response()
}

async fn bitbucket_open(
    State(forges): State<Forges>,
    Path((owner, name)): Place,
    headers: HeaderMap,
    axum::Json(body): axum::Json<Value>,
) -> Response {
    if let Err(refusal) = forges.admit(&headers, "application/json") {
        return refusal;
    }
    let number = forges.opened().len() + 1;
    if body["title"].as_str().is_none_or(str::is_empty) || !body["source"]["branch"]["name"].is_string() {
        return (StatusCode::BAD_REQUEST, axum::Json(json!({"type": "error", "error": {"message": "title and source are required"}})))
            .into_response();
    }
    let url = format!("https://bitbucket.org/{owner}/{name}/pull-requests/{number}");
    let opened = json!({"id": number, "state": "OPEN", "title": body["title"], "source": body["source"], "links": {"html": {"href": url}}});
    match forges.open(opened) {
        Ok(opened) => (StatusCode::CREATED, axum::Json(opened)).into_response(),
        Err(error) => error,
    }
}
