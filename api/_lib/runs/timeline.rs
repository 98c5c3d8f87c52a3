//! `GET /api/runs/{id}/timeline`

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use nofx_shared::events::{Cursor, Event};
use uuid::Uuid;

use crate::App;
use crate::events::{Wanted, read_page};
use crate::http::{Authenticated, Page, Refusal, cached};

/// The run's events, oldest first; at most 10,000.
#[utoipa::path(get, path = "/runs/{id}/timeline", security(("bearer" = [])), params(("id" = Uuid, Path)),
    responses((status = 200, body = Page<Event>), (status = 304), (status = 401)))]
pub(crate) async fn show_timeline(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let db = app.db(&caller);
    let wanted = Wanted { run: Some(id), types: None };
    let (mut events, mut cursor): (Vec<Event>, _) = (vec![], Cursor::default());
    loop {
        let page = read_page(&db, cursor, &wanted, 1000).await?;
        let full = page.len() == 1000;
        cursor = page.last().map_or(cursor, |row| row.cursor());
        events.extend(page.into_iter().map(Event::from));
        if !full || events.len() >= 10_000 {
            break;
        }
    }
    Ok(cached(&headers, &Page { data: events, next_cursor: None }))
}
