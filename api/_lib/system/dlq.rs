//! `/api/dlq`: dead letters, steps that ran out of attempts or crashed their workers.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use nofx_shared::containment::{DeadLetter, DeadLetterSelector, DlqReason, Purged, Requeued};
use nofx_shared::db::Query;
use nofx_shared::problem::{Kind, Problem};
use serde::Deserialize;
use uuid::Uuid;

use crate::App;
use crate::http::{Authenticated, Body, Cursor, Page, Paging, Params, Path, Refusal, cached, one};

#[derive(Deserialize)]
pub(crate) struct Filter {
    tool: Option<String>,
    run_id: Option<Uuid>,
    reason: Option<DlqReason>,
}

/// List the dead letters, newest first.
///
/// For every role. A dead letter is a step that ran out of attempts or crashed its workers, with its error, inputs and artifacts. The
/// filters narrow the list together.
#[utoipa::path(get, path = "/dlq", security(("bearer" = [])),
    params(("tool" = Option<String>, Query), ("run_id" = Option<Uuid>, Query), ("reason" = Option<DlqReason>, Query),
        ("limit" = Option<u16>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Page<DeadLetter>), (status = 304)))]
pub(crate) async fn list_dead_letters(
    State(app): State<App>,
    caller: Authenticated,
    Params(filter): Params<Filter>,
    Params(paging): Params<Paging>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let mut filters = vec![("select".to_owned(), DeadLetter::COLUMNS.to_owned())];
    filters.extend(filter.tool.map(|tool| ("tool".to_owned(), format!("eq.{tool}"))));
    filters.extend(filter.run_id.map(|run| ("run_id".to_owned(), format!("eq.{run}"))));
    filters.extend(filter.reason.map(|reason| ("reason".to_owned(), format!("eq.{}", reason.as_str()))));
    let cursor = |dead_letter: &DeadLetter| Cursor { created_at: dead_letter.created_at, id: dead_letter.id };
    Ok(paging.fetch(&app.db(&caller), "step_dlq", filters, cursor).await?.respond(&uri, &headers))
}

/// Show a dead letter.
///
/// For every role. Returns the step's last error with the earlier ones, its inputs and its artifacts.
#[utoipa::path(get, path = "/dlq/{id}", security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = DeadLetter), (status = 304)))]
pub(crate) async fn get_dead_letter(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = Query::of("step_dlq", [("select", DeadLetter::COLUMNS.to_owned()), ("id", format!("eq.{id}"))]);
    let detail = format!("Dead letter {id} was not found. List dead letters with GET /api/dlq.");
    let dead_letter: DeadLetter = one(&app.db(&caller), &query, Kind::NotFound, detail).await?;
    Ok(cached(&headers, &dead_letter))
}

/// Requeue dead letters.
///
/// For contributors. The steps run again and their runs continue. At least one filter or `"all": true` is required; `dry_run` only shows
/// which ones would be. Returns what was requeued, and what was refused and why. If one of their runs is under a legal hold, nothing is
/// requeued: 409.
#[utoipa::path(post, path = "/dlq/requeue", request_body = DeadLetterSelector, security(("bearer" = [])),
    responses((status = 200, body = Requeued), (status = 409)))]
pub(crate) async fn requeue_dead_letters(
    State(app): State<App>,
    caller: Authenticated,
    body: Body<DeadLetterSelector>,
) -> Result<axum::Json<Requeued>, Refusal> {
    Ok(axum::Json(app.db(&caller).call("requeue_dlq", &require_selector(&body.value)?.arguments()).await?))
}

/// Purge dead letters.
///
/// For supervisors. The dead letters are removed; the failed steps stay in their runs. At least one filter or `"all": true` is required;
/// `dry_run` only shows which ones would be. Returns their ids.
#[utoipa::path(post, path = "/dlq/purge", request_body = DeadLetterSelector, security(("bearer" = [])),
    responses((status = 200, body = Purged)))]
pub(crate) async fn purge_dead_letters(
    State(app): State<App>,
    caller: Authenticated,
    body: Body<DeadLetterSelector>,
) -> Result<axum::Json<Purged>, Refusal> {
    Ok(axum::Json(app.db(&caller).call("purge_dlq", &require_selector(&body.value)?.arguments()).await?))
}

/// Refuses an empty selector: it must not mean all dead letters.
fn require_selector(selector: &DeadLetterSelector) -> Result<&DeadLetterSelector, Refusal> {
    if !selector.is_empty() {
        return Ok(selector);
    }
    Err(Problem::new(Kind::InvalidRequest, "Select by ids, tool, run_id, reason or before, or set \"all\": true.").into())
}
