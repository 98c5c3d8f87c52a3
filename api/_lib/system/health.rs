//! `GET /api/health` and `GET /api/ready`

use axum::Json;
use axum::extract::State;
use nofx_shared::db;
use serde::Serialize;

use crate::App;
use crate::http::{Refusal, Routes, routes};

/// For the other functions: each has a health check.
pub(crate) fn health_router<R: Routes>() -> R {
    R::default().routes(routes!(get_health))
}

/// That the process responds, and its version.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Health {
    /// `ok`.
    status: &'static str,
    version: &'static str,
}

/// Check whether the process responds.
///
/// Needs no credential. No dependency is checked: see `/api/ready`.
#[utoipa::path(get, path = "/health", responses((status = 200, body = Health)))]
pub(crate) async fn get_health() -> Json<Health> {
    Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// The state of the API's dependencies.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Readiness {
    /// `ready`.
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

/// Check whether the API can work.
///
/// Needs no credential. Returns which schema the database has and which one this version expects, and whether the queue can be reached;
/// refused with 503 when the database does not respond.
#[utoipa::path(get, path = "/ready", responses((status = 200, body = Readiness)))]
pub(crate) async fn get_ready(State(app): State<App>) -> Result<Json<Readiness>, Refusal> {
    let applied = db::schema_version(app.service_db()).await?;
    let checked = app.queue().check().await;
    let error = checked.inspect_err(|error| tracing::warn!(error = error as &dyn std::error::Error, "could not reach the queue")).err();
    let queue = QueueState { driver: app.queue().driver(), error: error.map(|error| error.to_string()) };
    Ok(Json(Readiness { status: "ready", schema: SchemaState { applied, expected: db::SCHEMA }, queue }))
}
