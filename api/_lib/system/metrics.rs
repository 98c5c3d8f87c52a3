//! `GET /api/metrics/summary`

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};

use crate::App;
use crate::http::{Authenticated, Refusal, cached};

/// Show the tenant's metrics: runs by status; ready and throttled steps, those waiting on a timer or a breaker; pending gates, dead letters, open breakers and
/// alerts. At most five seconds old.
#[utoipa::path(get, path = "/metrics/summary", security(("bearer" = [])), responses((status = 200, body = Object), (status = 304), (status = 401)))]
pub(crate) async fn get_metrics_summary(State(app): State<App>, caller: Authenticated, headers: HeaderMap) -> Result<Response, Refusal> {
    let read = async || app.db(&caller).call("summarise_metrics", &json!({})).await;
    let summary: Arc<Value> = app.summaries().get_or_load(caller.tenant, read).await?;
    Ok(cached(&headers, &*summary))
}
