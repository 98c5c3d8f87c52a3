//! `GET /api/runs/{id}/gates`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use nofx_shared::db::Query;
use uuid::Uuid;

use super::gate::{COLUMNS, Gate};
use crate::App;
use crate::http::{Authenticated, Page, Path, Refusal, cached};

/// List the gates of a run, oldest first.
///
/// For every role. Returns all of them in one page, with their decisions; the list is empty for a run that has none or does not exist.
#[utoipa::path(get, path = "/runs/{id}/gates", security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = Page<Gate>), (status = 304)))]
pub(crate) async fn list_run_gates(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let filters = [("run_id", format!("eq.{id}")), ("order", "created_at".to_owned()), ("select", COLUMNS.to_owned())];
    let data: Vec<Gate> = app.db(&caller).read(&Query::of("gate", filters)).await?;
    Ok(cached(&headers, &Page { data, next_cursor: None }))
}
