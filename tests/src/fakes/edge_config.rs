//! Vercel Edge Config, from its published shape: items are read with the token of the connection string and written over Vercel's API.

use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch};
use axum::{Json, Router};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

#[derive(Clone)]
pub struct EdgeConfig {
    pub url: String,
    state: Arc<Mutex<FakeState>>,
}

#[derive(Default)]
struct FakeState {
    items: Map<String, Value>,
    writes: usize,
    reads: usize,
    /// The status of every response, while it fails.
    fault: Option<StatusCode>,
}

const ID: &str = "ecfg_test";
const READ: &str = "edge-read-token";
const WRITE: &str = "edge-write-token";

impl EdgeConfig {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let edge = Self { url, state: Arc::default() };
        let router =
            Router::new().route("/{id}/item/{key}", get(item)).route("/v1/edge-config/{id}/items", patch(write)).with_state(edge.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        edge
    }

    /// The settings of functions that read and write here.
    pub fn settings(&self) -> Vec<(String, String)> {
        let settings = [
            ("EDGE_CONFIG", format!("{}/{ID}?token={READ}", self.url)),
            ("VERCEL_API_TOKEN", WRITE.to_owned()),
            ("VERCEL_API_URL", self.url.clone()),
        ];
        settings.map(|(name, value)| (name.to_owned(), value)).to_vec()
    }

    pub fn item(&self, key: &str) -> Option<Value> {
        self.state.lock().expect("not poisoned").items.get(key).cloned()
    }

    pub fn writes(&self) -> usize {
        self.state.lock().expect("not poisoned").writes
    }

    pub fn reads(&self) -> usize {
        self.state.lock().expect("not poisoned").reads
    }

    /// Responds with this status from now on, or normally again.
    pub fn fail(&self, fault: Option<u16>) {
        self.state.lock().expect("not poisoned").fault = fault.map(|code| StatusCode::from_u16(code).expect("a status"));
    }

    /// Checks the request as Vercel does; the refusal if it is invalid.
    fn admit(&self, id: &str, headers: &HeaderMap, token: &str) -> Result<(), (StatusCode, &'static str)> {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if let Some(fault) = self.state.lock().expect("not poisoned").fault {
            return Err((fault, "out of order"));
        }
        if given != Some(&format!("Bearer {token}")) {
            return Err((StatusCode::UNAUTHORIZED, "unauthorized"));
        }
        if id == ID { Ok(()) } else { Err((StatusCode::NOT_FOUND, "edge_config_not_found")) }
    }
}

async fn item(State(edge): State<EdgeConfig>, Path((id, key)): Path<(String, String)>, headers: HeaderMap) -> Response {
    edge.state.lock().expect("not poisoned").reads += 1;
    if let Err((status, code)) = edge.admit(&id, &headers, READ) {
        return (status, Json(json!({"error": {"code": code}}))).into_response();
    }
    match edge.item(&key) {
        Some(value) => Json(value).into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!({"error": {"code": "edge_config_item_not_found"}}))).into_response(),
    }
}

async fn write(State(edge): State<EdgeConfig>, Path(id): Path<String>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    if let Err((status, code)) = edge.admit(&id, &headers, WRITE) {
        return (status, Json(json!({"error": {"code": code}}))).into_response();
    }
    let mut kept = edge.state.lock().expect("not poisoned");
    for item in body["items"].as_array().into_iter().flatten() {
        let (operation, key) = (item["operation"].as_str().unwrap_or_default(), item["key"].as_str().unwrap_or_default());
        let is_key = !key.is_empty() && key.len() <= 256 && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if operation != "upsert" || !is_key {
            return (StatusCode::BAD_REQUEST, Json(json!({"error": {"code": "bad_request"}}))).into_response();
        }
        kept.items.insert(key.to_owned(), item["value"].clone());
    }
    kept.writes += 1;
    Json(json!({"status": "ok"})).into_response()
}
