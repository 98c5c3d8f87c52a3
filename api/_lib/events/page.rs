//! `GET /api/events`

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use nofx_shared::events::{CloudEvent, Cursor, EventFilter, read_events};
use nofx_shared::problem::{Kind, Problem};
use serde::Deserialize;
use uuid::Uuid;

use crate::App;
use crate::http::{Authenticated, Page, Params, Refusal, cached, page_limit};

#[derive(Deserialize)]
pub(crate) struct Query {
    pub after: Option<String>,
    pub types: Option<String>,
    pub run_id: Option<Uuid>,
    pub limit: Option<u16>,
}

impl Query {
    pub(super) fn filter(&self) -> EventFilter {
        EventFilter { run: self.run_id, types: self.types.as_ref().map(|types| types.split(',').map(str::to_owned).collect()) }
    }

    pub(super) fn cursor(&self) -> Result<Option<Cursor>, Refusal> {
        let parse = |text: &String| text.parse().map_err(|error| Problem::new(Kind::InvalidRequest, format!("after: {error}")).into());
        self.after.as_ref().map(parse).transpose()
    }
}

/// List events, oldest first.
///
/// For every role. Events come in the order of the log, each once, without gaps: for the next page pass the id of the last event as
/// `after`. Without `after` the list begins with the oldest event. A page has at most `limit` events, and ends with the event at which their
/// data reaches 1 MiB: `next_cursor` says whether there may be more.
#[utoipa::path(get, path = "/events", security(("bearer" = [])),
    params(("after" = Option<String>, Query), ("types" = Option<String>, Query, description = "Comma-separated."),
        ("run_id" = Option<Uuid>, Query), ("limit" = Option<u16>, Query)),
    responses((status = 200, body = Page<CloudEvent>), (status = 304)))]
pub(crate) async fn list_events(
    State(app): State<App>,
    caller: Authenticated,
    Params(query): Params<Query>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let limit = page_limit(query.limit.map(usize::from), 100)?;
    let rows = read_events(&app.db(&caller), query.cursor()?.unwrap_or_default(), &query.filter(), limit).await?;
    let full = rows.len() == limit || rows.last().is_some_and(|row| row.more);
    let next_cursor = rows.last().filter(|_| full).map(|row| row.cursor().to_string());
    Ok(cached(&headers, &Page { data: rows.into_iter().map(CloudEvent::from).collect::<Vec<_>>(), next_cursor }))
}
