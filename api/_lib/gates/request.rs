//! `POST /api/gates`

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::Gate;
use super::show::find;
use crate::App;
use crate::http::{Authenticated, Body, Envelope, Once, Refusal, once};

/// A gate to add to a step.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    run_id: Uuid,
    step_id: Uuid,
    /// `manual:<name>`
    gate_type: String,
    question: Option<String>,
}

/// Add a gate to a step that has not started.
#[utoipa::path(post, path = "/gates", request_body = Asked, security(("bearer" = [])),
    responses((status = 201, body = Gate), (status = 401), (status = 403), (status = 404), (status = 409), (status = 422)))]
pub(crate) async fn request_gate(
    State(app): State<App>,
    caller: Authenticated,
    envelope: Envelope,
    body: Body<Asked>,
) -> Result<Response, Refusal> {
    let db = app.db(&caller);
    let asked = &body.value;
    let arguments = json!({"p_run": asked.run_id, "p_step": asked.step_id, "p_gate_type": asked.gate_type, "p_question": asked.question});
    let request = Once { app: &app, caller: &caller, envelope: &envelope, body: &body.bytes };
    let act = |_| async {
        #[derive(Deserialize)]
        struct Requested {
            id: Uuid,
        }
        let gate: Requested = db.call("request_gate", &arguments).await?;
        find(&app, &caller, gate.id).await
    };
    once(request, StatusCode::CREATED, act).await
}
