//! `POST /api/runs/{id}/cancel | pause | resume`

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use nofx_shared::engine::RunStatus;
use nofx_shared::queue::WakeUp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::App;
use crate::http::{Authenticated, Body, IdempotentRequest, Path, Refusal, RequestParts, idempotent};

/// The current status of the run.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct RunState {
    id: Uuid,
    status: RunStatus,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cancel {
    /// Saved with the run.
    reason: Option<String>,
}

/// Cancel a run: running steps are stopped, no other step starts.
#[utoipa::path(post, path = "/runs/{id}/cancel", request_body = Cancel, security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = RunState), (status = 401), (status = 403), (status = 404), (status = 409)))]
pub(crate) async fn cancel_run(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    parts: RequestParts,
    body: Body<Cancel>,
) -> Result<Response, Refusal> {
    let arguments = json!({"p_run": id, "p_reason": body.value.reason});
    change(&app, &caller, &parts, &body.bytes, "cancel_run", &arguments).await
}

/// Pause a run: running steps will finish; no new steps start.
#[utoipa::path(post, path = "/runs/{id}/pause", security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = RunState), (status = 401), (status = 403), (status = 404), (status = 409)))]
pub(crate) async fn pause_run(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    parts: RequestParts,
) -> Result<Response, Refusal> {
    change(&app, &caller, &parts, b"", "pause_run", &json!({"p_run": id})).await
}

/// Resume a paused run.
#[utoipa::path(post, path = "/runs/{id}/resume", security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = RunState), (status = 401), (status = 403), (status = 404), (status = 409)))]
pub(crate) async fn resume_run(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    parts: RequestParts,
) -> Result<Response, Refusal> {
    change(&app, &caller, &parts, b"", "resume_run", &json!({"p_run": id})).await
}

/// Calls a function that changes a run.
pub(super) async fn change(
    app: &App,
    caller: &Authenticated,
    parts: &RequestParts,
    body: &[u8],
    function: &'static str,
    arguments: &Value,
) -> Result<Response, Refusal> {
    let db = app.db(caller);
    let request = IdempotentRequest { app, caller, parts, body };
    let act = |_| async move {
        let state: RunState = db.call(function, arguments).await?;
        app.wake_workers(&parts.background, vec![WakeUp { id: state.id, priority: 0, trace: parts.trace.clone() }]).await;
        Ok(state)
    };
    idempotent(request, StatusCode::OK, act).await
}
