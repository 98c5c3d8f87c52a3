//! `/ui/events`: the event log, newest first.

use axum::extract::State;
use maud::html;
use nofx_shared::events::Cursor;
use serde::Deserialize;
use uuid::Uuid;

use super::components::{empty, event_feed, pager};
use super::layout::{Frame, Icon, Page};
use super::newest_events::newest_events;
use super::state::Ui;
use crate::http::{Params, Refusal};

/// Events on a page.
const PAGE: usize = 100;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    /// The start of the type: `gate.`, `run.failed`.
    r#type: String,
    run: Option<Uuid>,
    /// Only those before this cursor.
    cursor: String,
}

pub(super) async fn show(State(ui): State<Ui>, frame: Frame, Params(query): Params<Query>) -> Result<Page, Refusal> {
    let mut filters = vec![];
    if !query.r#type.is_empty() {
        filters.push(("type".to_owned(), format!("like.{}*", query.r#type.replace(['*', '%', '\\'], "_"))));
    }
    filters.extend(query.run.map(|run| ("run_id".to_owned(), format!("eq.{run}"))));
    if let Ok(Cursor { tx, id }) = query.cursor.parse::<Cursor>() {
        filters.push(("or".to_owned(), format!("(tx.lt.{tx},and(tx.eq.{tx},id.lt.{id}))")));
    }
    let mut events = newest_events(&ui.app.db(&frame.session.caller), filters, PAGE + 1).await?;
    let more = events.len() > PAGE;
    events.truncate(PAGE);
    let next = events.last().filter(|_| more).map(|event| event.id.clone());
    let run = query.run.map(|run| run.to_string()).unwrap_or_default();
    let live = query.cursor.is_empty().then_some("events");
    let body = html! {
        header.list { h1 { "Events" } nav.saved aria-label="Saved filters" {
            @for kind in ["run.", "step.", "gate.", "artifact.", "breaker.", "alert.", "webhook."] { a href={ "/ui/events?type=" (kind) } { (kind) "*" } }
        } }
        form.filters method="get" action="/ui/events" role="search" {
            label { "Type" input type="search" name="type" value=(query.r#type) placeholder="gate.decided, run., …"; }
            label { "Run" input type="search" name="run" value=(run) placeholder="Run id" pattern="[0-9a-fA-F-]{36}"; }
            button type="submit" { "Filter" }
        }
        div #events data-live=[live] {
            @if events.is_empty() { (empty("No events", &html! { "Events appear here as they happen." })) } @else { (event_feed(&events, false)) }
            (pager("/ui/events", &[("type", query.r#type.clone()), ("run", run.clone())], next.as_deref()))
        }
    };
    Ok(frame.page("Events", Icon::Idle, &body))
}
