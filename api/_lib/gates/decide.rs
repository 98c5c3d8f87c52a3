//! `POST /api/gates/{id}/approve | reject | waive`

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::Gate;
use crate::App;
use crate::http::{Authenticated, Body, Once, Refusal, once};

/// Why it was decided so.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    reason: Option<String>,
}

/// Approve a gate: the step behind it runs.
#[utoipa::path(post, path = "/gates/{id}/approve", request_body = Reason, security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = Gate), (status = 401), (status = 403), (status = 404), (status = 409)))]
pub(crate) async fn approve_gate(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    uri: Uri,
    headers: HeaderMap,
    body: Body<Reason>,
) -> Result<Response, Refusal> {
    decide(&app, &caller, id, "approve", &uri, &headers, &body).await
}

/// Reject a gate: the step behind it fails and blocks what needs it.
#[utoipa::path(post, path = "/gates/{id}/reject", request_body = Reason, security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = Gate), (status = 401), (status = 403), (status = 404), (status = 409)))]
pub(crate) async fn reject_gate(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    uri: Uri,
    headers: HeaderMap,
    body: Body<Reason>,
) -> Result<Response, Refusal> {
    decide(&app, &caller, id, "reject", &uri, &headers, &body).await
}

/// Waive a gate: the step behind it runs although nobody approved.
#[utoipa::path(post, path = "/gates/{id}/waive", request_body = Reason, security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = Gate), (status = 401), (status = 403), (status = 404), (status = 409)))]
pub(crate) async fn waive_gate(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    uri: Uri,
    headers: HeaderMap,
    body: Body<Reason>,
) -> Result<Response, Refusal> {
    decide(&app, &caller, id, "waive", &uri, &headers, &body).await
}

async fn decide(
    app: &App,
    caller: &Authenticated,
    id: Uuid,
    decision: &str,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Body<Reason>,
) -> Result<Response, Refusal> {
    let db = app.db(caller);
    let arguments = json!({"p_gate": id, "p_decision": decision, "p_reason": body.value.reason});
    let request = Once { app, caller, method: Method::POST, uri, headers, body: &body.bytes };
    let act = |_| async move {
        let gate: Gate = db.call("decide_gate", &arguments).await?;
        app.ring(gate.run_id).await;
        Ok(gate)
    };
    once(request, StatusCode::OK, act).await
}
