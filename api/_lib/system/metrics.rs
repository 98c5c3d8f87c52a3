//! `GET /api/metrics/summary`

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use nofx_shared::engine::{self, MetricsSummary};

use crate::App;
use crate::http::{Authenticated, Refusal, cached};

/// Show the open work of the tenant in numbers.
///
/// For every role. Counts unfinished runs, steps that are ready or wait, pending gates, dead letters, open breakers and alerts. At most
/// five seconds old.
#[utoipa::path(get, path = "/metrics/summary", security(("bearer" = [])), responses((status = 200, body = MetricsSummary), (status = 304)))]
pub(crate) async fn get_metrics_summary(State(app): State<App>, caller: Authenticated, headers: HeaderMap) -> Result<Response, Refusal> {
    let read = async || engine::summarise_metrics(&app.db(&caller)).await;
    let summary: Arc<MetricsSummary> = app.summaries().get_or_load(caller.tenant, read).await?;
    Ok(cached(&headers, &*summary))
}
