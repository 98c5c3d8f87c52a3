//! `POST /api/runs/{id}/cancel | pause | resume`

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use nofx_shared::engine::RunStatus;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::App;
use crate::http::{Authenticated, Body, Once, Refusal, once};

/// Where the run stands now.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct RunState {
    id: Uuid,
    status: RunStatus,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cancel {
    /// Kept with the run.
    reason: Option<String>,
}

/// Cancel a run: what has not started never will, what runs is stopped.
#[utoipa::path(post, path = "/runs/{id}/cancel", request_body = Cancel, security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = RunState), (status = 401), (status = 403), (status = 404), (status = 409)))]
pub(crate) async fn cancel_run(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    uri: Uri,
    headers: HeaderMap,
    body: Body<Cancel>,
) -> Result<Response, Refusal> {
    let arguments = json!({"p_run": id, "p_reason": body.value.reason});
    change(&app, &caller, &uri, &headers, &body.bytes, "cancel_run", &arguments).await
}

/// Pause a run: what runs goes on to its end, nothing new starts.
#[utoipa::path(post, path = "/runs/{id}/pause", security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = RunState), (status = 401), (status = 403), (status = 404), (status = 409)))]
pub(crate) async fn pause_run(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    change(&app, &caller, &uri, &headers, b"", "pause_run", &json!({"p_run": id})).await
}

/// Let a paused run go on.
#[utoipa::path(post, path = "/runs/{id}/resume", security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = RunState), (status = 401), (status = 403), (status = 404), (status = 409)))]
pub(crate) async fn resume_run(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    change(&app, &caller, &uri, &headers, b"", "resume_run", &json!({"p_run": id})).await
}

/// Calls a function that changes a run.
pub(super) async fn change(
    app: &App,
    caller: &Authenticated,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
    function: &'static str,
    arguments: &Value,
) -> Result<Response, Refusal> {
    let db = app.db(caller);
    let request = Once { app, caller, method: Method::POST, uri, headers, body };
    let act = |_| async move {
        let state: RunState = db.call(function, arguments).await?;
        app.ring(state.id).await;
        Ok(state)
    };
    once(request, StatusCode::OK, act).await
}
