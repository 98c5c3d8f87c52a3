//! `GET /api/health` and `GET /api/ready`

use axum::Json;
use axum::extract::State;
use nofx_shared::db;
use serde::Serialize;
use serde_json::{Value, json};

use crate::App;
use crate::http::{Refusal, Routes, routes};

/// For the other functions: each has a health check.
pub(crate) fn health_router<R: Routes>() -> R {
    R::default().routes(routes!(get_health))
}

/// Check whether the process responds; no dependency is checked.
#[utoipa::path(get, path = "/health", responses((status = 200)))]
pub(crate) async fn get_health() -> Json<Value> {
    Json(json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))
}

/// The state of the API's dependencies.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Readiness {
    status: &'static str,
    schema: SchemaState,
    queue: QueueState,
}

/// The newest migration of the database, and the one that this version expects.
#[derive(Serialize, utoipa::ToSchema)]
struct SchemaState {
    applied: Option<String>,
    expected: &'static str,
}

/// State of the queue. While it is unavailable, runs are still created and workers find them by polling.
#[derive(Serialize, utoipa::ToSchema)]
struct QueueState {
    driver: &'static str,
    /// Why the queue cannot be reached.
    error: Option<String>,
}

/// Check whether the database responds, which schema it has, and whether the queue can be reached.
#[utoipa::path(get, path = "/ready", responses((status = 200, body = Readiness), (status = 503)))]
pub(crate) async fn get_ready(State(app): State<App>) -> Result<Json<Readiness>, Refusal> {
    let applied = db::schema_version(app.service_db()).await?;
    let checked = app.queue().check().await;
    let error = checked.inspect_err(|error| tracing::warn!(error = error as &dyn std::error::Error, "could not reach the queue")).err();
    let queue = QueueState { driver: app.queue().driver(), error: error.map(|error| error.to_string()) };
    Ok(Json(Readiness { status: "ready", schema: SchemaState { applied, expected: db::SCHEMA }, queue }))
}
