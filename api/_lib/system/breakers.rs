//! `/api/breakers`: the breakers, and when they open.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use nofx_shared::containment::Breaker;
use nofx_shared::db::Query;
use serde::Deserialize;
use serde_json::json;

use crate::App;
use crate::http::{Authenticated, Body, Page, Refusal, cached};

/// Settings to change; the others stay.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BreakerSettings {
    /// A tool, `http:<host>` or `provider:<name>`.
    target: String,
    /// Seconds over which results are counted, 1 to 3600.
    window_s: Option<u16>,
    /// Minimum number of results before the breaker opens, 1 to 10,000.
    min_volume: Option<u16>,
    /// Share of failures that opens the breaker: above 0, at most 1.
    failure_rate: Option<f64>,
    /// Successful probes that close the breaker, 1 to 100.
    probes: Option<u16>,
    /// Close the breaker now, without waiting for a probe.
    #[serde(default)]
    close: bool,
}

/// List the breakers.
///
/// For every role. Returns the breakers that had a failure in the last few minutes, are not closed, or have settings of their own, by
/// target.
#[utoipa::path(get, path = "/breakers", security(("bearer" = [])),
    responses((status = 200, body = Page<Breaker>), (status = 304)))]
pub(crate) async fn list_breakers(State(app): State<App>, caller: Authenticated, headers: HeaderMap) -> Result<Response, Refusal> {
    let filters = vec![("select".to_owned(), Breaker::COLUMNS.to_owned()), ("order".to_owned(), "target".to_owned())];
    let data: Vec<Breaker> = app.db(&caller).read(&Query { table: "handler_health", filters }).await?;
    Ok(cached(&headers, &Page { data, next_cursor: None }))
}

/// Set when a breaker opens, or close it.
///
/// For supervisors. Settings that are left out stay as they are. `close` lets steps through at once, without waiting for a probe. Returns
/// the breaker as it is now.
#[utoipa::path(post, path = "/breakers", request_body = BreakerSettings, security(("bearer" = [])),
    responses((status = 200, body = Breaker)))]
pub(crate) async fn set_breaker(
    State(app): State<App>,
    caller: Authenticated,
    body: Body<BreakerSettings>,
) -> Result<axum::Json<Breaker>, Refusal> {
    let wanted = &body.value;
    let arguments = json!({
        "p_target": wanted.target, "p_window_s": wanted.window_s, "p_min_volume": wanted.min_volume, "p_failure_rate": wanted.failure_rate,
        "p_probes": wanted.probes, "p_close": wanted.close,
    });
    Ok(axum::Json(app.db(&caller).call("set_breaker", &arguments).await?))
}
