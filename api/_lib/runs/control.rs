//! `POST /api/runs/{id}/cancel | pause | resume`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use nofx_shared::engine::RunStatus;
use nofx_shared::queue::WakeUp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::App;
use crate::http::{Authenticated, Body, Path, Refusal, RequestParts};

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
    params(("id" = Uuid, Path)),
    responses((status = 200, body = RunState), (status = 409)))]
pub(crate) async fn cancel_run(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    parts: RequestParts,
    body: Body<CancelRun>,
) -> Result<Response, Refusal> {
    let arguments = json!({"p_run": id, "p_reason": body.value.reason});
    change(&app, &caller, &parts, "cancel_run", &arguments).await
}

/// Pause a run.
///
/// For contributors. Running steps finish, no other step starts. Pausing a paused run changes nothing; a run that has finished is refused
/// with 409. Returns the new status.
#[utoipa::path(post, path = "/runs/{id}/pause", security(("bearer" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = RunState), (status = 409)))]
pub(crate) async fn pause_run(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    parts: RequestParts,
) -> Result<Response, Refusal> {
    change(&app, &caller, &parts, "pause_run", &json!({"p_run": id})).await
}

/// Resume a paused run.
///
/// For contributors. Steps that are ready start again. Resuming a run that is not paused changes nothing; a run that has finished is
/// refused with 409. Returns the new status.
#[utoipa::path(post, path = "/runs/{id}/resume", security(("bearer" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = RunState), (status = 409)))]
pub(crate) async fn resume_run(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    parts: RequestParts,
) -> Result<Response, Refusal> {
    change(&app, &caller, &parts, "resume_run", &json!({"p_run": id})).await
}

/// Calls a function that changes a run.
pub(super) async fn change(
    app: &App,
    caller: &Authenticated,
    parts: &RequestParts,
    function: &'static str,
    arguments: &Value,
) -> Result<Response, Refusal> {
    let state: RunState = app.db(caller).call(function, arguments).await?;
    app.wake_workers(&parts.background, vec![WakeUp { id: state.id, priority: 0, trace: parts.trace.clone() }]).await;
    Ok(axum::Json(state).into_response())
}
