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

/// Why a run is cancelled.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelRun {
    /// Saved with the run.
    reason: Option<String>,
}

/// Cancel a run.
///
/// For contributors. Running steps are stopped and no other step starts; the run is `cancelling` until its last step has ended. Cancelling
/// it again changes nothing; a run that succeeded or failed is refused with 409. Returns the new status.
#[utoipa::path(post, path = "/runs/{id}/cancel", request_body = CancelRun, security(("bearer" = [])),
    params(("id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = RunState), (status = 409)))]
pub(crate) async fn cancel_run(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    parts: RequestParts,
    body: Body<CancelRun>,
) -> Result<Response, Refusal> {
    let arguments = json!({"p_run": id, "p_reason": body.value.reason});
    change(&app, &caller, &parts, &body.bytes, "cancel_run", &arguments).await
}

/// Pause a run.
///
/// For contributors. Running steps finish, no other step starts. Pausing a paused run changes nothing; a run that has finished is refused
/// with 409. Returns the new status.
#[utoipa::path(post, path = "/runs/{id}/pause", security(("bearer" = [])),
    params(("id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = RunState), (status = 409)))]
pub(crate) async fn pause_run(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    parts: RequestParts,
) -> Result<Response, Refusal> {
    change(&app, &caller, &parts, b"", "pause_run", &json!({"p_run": id})).await
}

/// Resume a paused run.
///
/// For contributors. Steps that are ready start again. Resuming a run that is not paused changes nothing; a run that has finished is
/// refused with 409. Returns the new status.
#[utoipa::path(post, path = "/runs/{id}/resume", security(("bearer" = [])),
    params(("id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = RunState), (status = 409)))]
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
