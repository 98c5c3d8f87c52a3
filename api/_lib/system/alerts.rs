//! `/api/alerts`: measurements that passed their threshold, and the thresholds.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use nofx_shared::containment::{Alert, AlertKind};
use nofx_shared::db::Query;
use nofx_shared::problem::Kind;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::App;
use crate::http::{Authenticated, Body, Page, Path, Refusal, cached, one};

/// The threshold of an alert.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertRule {
    kind: AlertKind,
    /// Above 0; null turns the alert off.
    threshold: Option<f64>,
}

/// List the last hundred alerts: ongoing ones first, then the newest.
///
/// For every role. An alert that is ongoing has no `resolved_at`.
#[utoipa::path(get, path = "/alerts", security(("bearer" = [])),
    responses((status = 200, body = Page<Alert>), (status = 304)))]
pub(crate) async fn list_alerts(State(app): State<App>, caller: Authenticated, headers: HeaderMap) -> Result<Response, Refusal> {
    let query = Query::of("alert", [("select", Alert::COLUMNS), ("order", Alert::ORDER), ("limit", "100")]);
    let data: Vec<Alert> = app.db(&caller).read(&query).await?;
    Ok(cached(&headers, &Page { data, next_cursor: None }))
}

/// Show an alert.
///
/// For every role. Returns the last measurement, the threshold that it passed, and since when.
#[utoipa::path(get, path = "/alerts/{id}", security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = Alert), (status = 304)))]
pub(crate) async fn get_alert(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = Query::of("alert", [("id", format!("eq.{id}")), ("select", Alert::COLUMNS.to_owned())]);
    let detail = format!("Alert {id} was not found. List alerts with GET /api/alerts.");
    let alert: Alert = one(&app.db(&caller), &query, Kind::NotFound, detail).await?;
    Ok(cached(&headers, &alert))
}

/// Set the threshold of an alert.
///
/// For supervisors. Replaces the tenant's previous threshold of that kind; null turns the alert off. It is measured against the new
/// threshold within a minute.
#[utoipa::path(post, path = "/alerts/rules", request_body = AlertRule, security(("bearer" = [])),
    responses((status = 204)))]
pub(crate) async fn set_alert_rule(State(app): State<App>, caller: Authenticated, body: Body<AlertRule>) -> Result<StatusCode, Refusal> {
    let arguments = json!({"p_kind": body.value.kind, "p_threshold": body.value.threshold});
    app.db(&caller).call::<_, ()>("set_alert_rule", &arguments).await?;
    Ok(StatusCode::NO_CONTENT)
}
