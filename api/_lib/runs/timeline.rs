//! `GET /api/runs/{id}/timeline`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use nofx_shared::db::Query;
use nofx_shared::events::{CloudEvent, EventRow};
use uuid::Uuid;

use crate::App;
use crate::http::{Authenticated, Page, Path, Refusal, cached};

/// List the events of a run, oldest first.
///
/// For every role. Returns all of them in one page, at most 10,000. To follow a run use `/api/events/stream?run_id=…`.
#[utoipa::path(get, path = "/runs/{id}/timeline", security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = Page<CloudEvent>), (status = 304)))]
pub(crate) async fn get_timeline(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    // Everything committed: a single read needs no cursor, so it need not wait for older transactions as a stream must.
    let filters =
        [("select", "*,origin".to_owned()), ("run_id", format!("eq.{id}")), ("order", "tx,id".to_owned()), ("limit", "10000".to_owned())];
    let query = Query::of("event", filters);
    let rows: Vec<EventRow> = app.db(&caller).read(&query).await?;
    let events: Vec<CloudEvent> = rows.into_iter().map(CloudEvent::from).collect();
    Ok(cached(&headers, &Page { data: events, next_cursor: None }))
}
