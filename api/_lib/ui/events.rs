//! `/ui/events`: what happened, newest first.

use axum::extract::State;
use maud::{Markup, html};
use nofx_shared::db::Query as Rows;
use nofx_shared::events::{Cursor, Event, Row};
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
    let mut filters = vec![
        ("select".to_owned(), "*,origin".to_owned()),
        ("order".to_owned(), "tx.desc,id.desc".to_owned()),
        ("limit".to_owned(), (PAGE + 1).to_string()),
    ];
    if !query.r#type.is_empty() {
        filters.push(("type".to_owned(), format!("like.{}*", query.r#type.replace(['*', '%', '\\'], "_"))));
    }
    filters.extend(query.run.map(|run| ("run_id".to_owned(), format!("eq.{run}"))));
    if let Ok(Cursor { tx, id }) = query.cursor.parse::<Cursor>() {
        filters.push(("or".to_owned(), format!("(tx.lt.{tx},and(tx.eq.{tx},id.lt.{id}))")));
    }
    let mut rows: Vec<Row> = ui.app.db(&frame.session.caller).read(&Rows { table: "event", filters }).await?;
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next = rows.last().filter(|_| more).map(|row| row.cursor().to_string());
    let events: Vec<Event> = rows.into_iter().map(Event::from).collect();
    let run = query.run.map(|run| run.to_string()).unwrap_or_default();
    let live = query.cursor.is_empty().then_some("events");
    let body = html! {
        header.list { h1 { "Events" } nav.saved aria-label="Saved filters" {
            @for kind in ["run.", "step.", "gate.", "artifact.", "breaker.", "alert.", "webhook."] { a href={ "/ui/events?type=" (kind) } { (kind) "*" } }
        } }
        form.filters method="get" action="/ui/events" role="search" {
            label { "Type" input type="search" name="type" value=(query.r#type) placeholder="gate.decided, run., …"; }
            label { "Run" input type="search" name="run" value=(run) placeholder="id of a run" pattern="[0-9a-fA-F-]{36}"; }
            button type="submit" { "Filter" }
        }
        div #events data-live=[live] {
            @if events.is_empty() { (empty("No events", &html! { "Everything that happens is told here, as it happens." })) } @else { (feed(&events, false)) }
            (pager("/ui/events", &[("type", query.r#type.clone()), ("run", run.clone())], next.as_deref()))
        }
    };
    Ok(frame.page("Events", Icon::Idle, &body))
}

/// Events as a list, each with its data.
pub(super) fn feed(events: &[Event], is_of_one_run: bool) -> Markup {
    html! {
        ol.feed {
            @for event in events {
                li data-type=(event.r#type.split('.').next().unwrap_or_default()) {
                    (when(event.time)) " " strong { (event.r#type) } " "
                    @if let Some(name) = event.data["name"].as_str() { (name) " " }
                    @if let (Some(run), false) = (event.runid, is_of_one_run) { a href={ "/ui/runs/" (run) } { "its run" } }
                    details { summary { "Data" } (json(&event.data)) }
                }
            }
        }
    }
}
