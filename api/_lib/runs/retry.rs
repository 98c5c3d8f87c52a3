//! `POST /api/runs/{id}/retry` and `POST /api/runs/{id}/steps/{step_id}/retry`

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::control::{RunState, change};
use crate::App;
use crate::http::{Authenticated, Body, Path, Refusal, RequestParts};

/// Why a run is retried.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetryRun {
    /// Saved in the event log.
    reason: Option<String>,
}

/// Retry a failed run.
///
/// For contributors. All failed steps run again, and then the steps that they blocked; steps that succeeded keep their results. A run that
/// has not failed, or is under a legal hold, is refused with 409. Returns the new status.
#[utoipa::path(post, path = "/runs/{id}/retry", request_body = RetryRun, security(("bearer" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = RunState), (status = 409)))]
pub(crate) async fn retry_run(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    parts: RequestParts,
    body: Body<RetryRun>,
) -> Result<Response, Refusal> {
    change(&app, &caller, &parts, "retry_run", &json!({"p_run": id, "p_reason": body.value.reason})).await
}

/// Retry one step of a failed run.
///
/// For contributors. The step and everything that depends on it run again. A run that has not failed, or is under a legal hold, is refused
/// with 409. Returns the new status of the run.
#[utoipa::path(post, path = "/runs/{id}/steps/{step_id}/retry", security(("bearer" = [])),
    params(("id" = Uuid, Path), ("step_id" = Uuid, Path)),
    responses((status = 200, body = RunState), (status = 409)))]
pub(crate) async fn retry_step(
    State(app): State<App>,
    caller: Authenticated,
    Path((id, step_id)): Path<(Uuid, Uuid)>,
    parts: RequestParts,
) -> Result<Response, Refusal> {
    change(&app, &caller, &parts, "retry_step", &json!({"p_run": id, "p_step": step_id})).await
}
