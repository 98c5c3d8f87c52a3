//! `/ui/events`: the event log, newest first.

use axum::extract::State;
use maud::{Markup, html};
use nofx_shared::db::{self, Db, Query as Rows};
use nofx_shared::events::{CloudEvent, Cursor, EventRow};
use serde::Deserialize;
use uuid::Uuid;

use super::Ui;
use super::components::{empty, json, pager, when};
use super::layout::{Frame, Icon, Page};
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
    let mut events = newest(&ui.app.db(&frame.session.caller), filters, PAGE + 1).await?;
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
            @if events.is_empty() { (empty("No events", &html! { "Events appear here as they happen." })) } @else { (feed(&events, false)) }
            (pager("/ui/events", &[("type", query.r#type.clone()), ("run", run.clone())], next.as_deref()))
        }
    };
    Ok(frame.page("Events", Icon::Idle, &body))
}

/// The newest events that pass these filters, the newest first.
pub(super) async fn newest(db: &Db, filters: Vec<(String, String)>, limit: usize) -> Result<Vec<CloudEvent>, db::Error> {
    let mut query =
        Rows::of("event", [("select", "*,origin".to_owned()), ("order", "tx.desc,id.desc".to_owned()), ("limit", limit.to_string())]);
    query.filters.extend(filters);
    let rows: Vec<EventRow> = db.read(&query).await?;
    Ok(rows.into_iter().map(CloudEvent::from).collect())
}

/// Events as a list, each with its data.
pub(super) fn feed(events: &[CloudEvent], is_of_one_run: bool) -> Markup {
    html! {
        ol.feed {
            @for event in events {
                li data-type=(event.r#type.split('.').next().unwrap_or_default()) {
                    (when(event.time)) " " strong { (event.r#type) } " "
                    @if let Some(name) = event.data["name"].as_str() { (name) " " }
                    @if let (Some(run), false) = (event.runid, is_of_one_run) { a href={ "/ui/runs/" (run) } { "View run" } }
                    details { summary { "Data" } (json(&event.data)) }
                }
            }
        }
    }
}
