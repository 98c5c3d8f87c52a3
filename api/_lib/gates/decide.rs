//! `POST /api/gates/{id}/approve | reject | waive`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use nofx_shared::queue::WakeUp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::gate::Gate;
use super::get::find;
use crate::App;
use crate::http::{Authenticated, Body, Path, Refusal, RequestParts};

/// The reason for the decision.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionReason {
    /// Shown with the gate and recorded in the audit log; a waiver requires one.
    reason: Option<String>,
}

/// Approve a gate.
///
/// For the gate's role or a higher one, signed in: an API key only where the gate allows it, and then as its maker. Not for the author of the
/// run unless the gate allows it. Once enough different people have approved, the step runs. A decision is final; a second approval of the same person is refused with 409. Returns the gate with all
/// decisions.
#[utoipa::path(post, path = "/gates/{id}/approve", request_body = DecisionReason, security(("bearer" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Gate), (status = 409)))]
pub(crate) async fn approve_gate(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    parts: RequestParts,
    body: Body<DecisionReason>,
) -> Result<Response, Refusal> {
    decide(&app, &caller, id, "approve", &parts, &body).await
}

/// Reject a gate.
///
/// For the gate's role or a higher one. The step fails and blocks the steps that depend on it. A decision is final. Returns the gate with
/// all decisions.
#[utoipa::path(post, path = "/gates/{id}/reject", request_body = DecisionReason, security(("bearer" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Gate), (status = 409)))]
pub(crate) async fn reject_gate(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    parts: RequestParts,
    body: Body<DecisionReason>,
) -> Result<Response, Refusal> {
    decide(&app, &caller, id, "reject", &parts, &body).await
}

/// Waive a gate.
///
/// For the gate's role or a higher one, and only with a reason, which is audited; not for the author of the run or an API key unless the gate
/// allows it.
/// It counts as one decision of as many as the gate asks; a gate that one of them waived is `waived`. A decision is final. Returns the gate
/// with all decisions.
#[utoipa::path(post, path = "/gates/{id}/waive", request_body = DecisionReason, security(("bearer" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Gate), (status = 409)))]
pub(crate) async fn waive_gate(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    parts: RequestParts,
    body: Body<DecisionReason>,
) -> Result<Response, Refusal> {
    decide(&app, &caller, id, "waive", &parts, &body).await
}

async fn decide(
    app: &App,
    caller: &Authenticated,
    id: Uuid,
    decision: &str,
    parts: &RequestParts,
    body: &Body<DecisionReason>,
) -> Result<Response, Refusal> {
    let arguments = json!({"p_gate": id, "p_decision": decision, "p_reason": body.value.reason});
    app.db(caller).call::<_, Value>("decide_gate", &arguments).await?;
    let gate = find(app, caller, id).await?;
    app.wake_workers(&parts.background, vec![WakeUp { id: gate.run_id, priority: 0, trace: parts.trace.clone() }]).await;
    Ok(axum::Json(gate).into_response())
}
