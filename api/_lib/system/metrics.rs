//! `GET /api/metrics/summary`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};

use crate::App;
use crate::http::{Authenticated, Refusal, cached};

/// Runs and steps of the tenant by status, and how long the oldest ready step waits.
#[utoipa::path(get, path = "/metrics/summary", security(("bearer" = [])), responses((status = 200), (status = 401)))]
pub(crate) async fn show_metrics_summary(State(app): State<App>, caller: Authenticated, headers: HeaderMap) -> Result<Response, Refusal> {
    let summary: Value = app.db(&caller).call("summarise_metrics", &json!({})).await?;
    Ok(cached(&headers, &summary))
}
