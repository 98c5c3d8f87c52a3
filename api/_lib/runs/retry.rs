//! `POST /api/runs/{id}/retry` and `POST /api/runs/{id}/steps/{step_id}/retry`

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::control::{RunState, change};
use crate::App;
use crate::http::{Authenticated, Body, Path, Refusal, RequestParts};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retry {
    /// Saved in the event log.
    reason: Option<String>,
}

/// Retry a failed run: all failed steps, and the steps that they blocked.
#[utoipa::path(post, path = "/runs/{id}/retry", request_body = Retry, security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = RunState), (status = 401), (status = 403), (status = 404), (status = 409), (status = 422)))]
pub(crate) async fn retry_run(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    parts: RequestParts,
    body: Body<Retry>,
) -> Result<Response, Refusal> {
    change(&app, &caller, &parts, &body.bytes, "retry_run", &json!({"p_run": id, "p_reason": body.value.reason})).await
}

/// Retry one step of a failed run and everything that depends on it.
#[utoipa::path(post, path = "/runs/{id}/steps/{step_id}/retry", security(("bearer" = [])), params(("id" = Uuid, Path), ("step_id" = Uuid, Path)),
    responses((status = 200, body = RunState), (status = 401), (status = 403), (status = 404), (status = 409)))]
pub(crate) async fn retry_step(
    State(app): State<App>,
    caller: Authenticated,
    Path((id, step_id)): Path<(Uuid, Uuid)>,
    parts: RequestParts,
) -> Result<Response, Refusal> {
    change(&app, &caller, &parts, b"", "retry_step", &json!({"p_run": id, "p_step": step_id})).await
}
