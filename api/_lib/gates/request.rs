//! `POST /api/gates`

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::gate::Gate;
use super::get::find;
use crate::App;
use crate::http::{Authenticated, Body, Refusal};

/// A gate to add to a step.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GateRequest {
    run_id: Uuid,
    step_id: Uuid,
    /// `manual:<name>`
    gate_type: String,
    question: Option<String>,
}

/// Add a gate to a step that has not started.
///
/// For supervisors. The step waits until the gate is decided; a step that has started is refused with 409. Returns the pending gate. With
/// `Idempotency-Key` a repeated request adds no second gate.
#[utoipa::path(post, path = "/gates", request_body = GateRequest, security(("bearer" = [])),
    responses((status = 201, body = Gate), (status = 404), (status = 409)))]
pub(crate) async fn request_gate(State(app): State<App>, caller: Authenticated, body: Body<GateRequest>) -> Result<Response, Refusal> {
    let db = app.db(&caller);
    let gate = &body.value;
    let arguments = json!({"p_run": gate.run_id, "p_step": gate.step_id, "p_gate_type": gate.gate_type, "p_question": gate.question});
    #[derive(Deserialize)]
    struct Requested {
        id: Uuid,
    }
    let gate: Requested = db.call("request_gate", &arguments).await?;
    Ok((StatusCode::CREATED, axum::Json(find(&app, &caller, gate.id).await?)).into_response())
}
