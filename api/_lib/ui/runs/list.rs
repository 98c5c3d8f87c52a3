//! `/ui/runs`: the runs, with the reasons why they wait or failed.

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::Utc;
use maud::{Markup, html};
use nofx_shared::auth::Role;
use nofx_shared::engine::RunStatus;
use serde_json::{Value, json};
use uuid::Uuid;

use super::query::Query;
use crate::http::{Paging, Params, Refusal};
use crate::runs::list::{RunSummary, StatusReason, list};
use crate::ui::Ui;
use crate::ui::components::{badge, duration, empty, id, pager, when};
use crate::ui::layout::{Frame, Icon, Page};
use crate::ui::url;

/// Runs by status.
type Counts = BTreeMap<String, u64>;

/// Counting stops there.
const MAX_COUNT: u64 = 10_000;

const SINCE: [(&str, &str); 4] = [("1h", "Last hour"), ("24h", "Last day"), ("7d", "Last week"), ("30d", "Last month")];

const SAVED: [(&str, &str); 4] = [
    ("?mine=1", "Needs my approval"),
    ("?status=running", "Running"),
    ("?status=failed&since=24h", "Failed today"),
    ("?status=failed&since=7d", "Failed this week"),
];

pub(in crate::ui) async fn show(State(ui): State<Ui>, frame: Frame, Params(query): Params<Query>) -> Result<Page, Refusal> {
    let caller = &frame.session.caller;
    let filter = query.filter();
    let paging = Paging::after(&query.cursor);
    let db = ui.app.db(caller);
    let counted = async {
        // Results of a text search are not counted: that would read every goal.
        if filter.goal.is_some() {
            return Ok(None);
        }
        let arguments = json!({"p_after": filter.created_after});
        let read = async || db.call::<_, Value>("count_runs", &arguments).await;
        // The unfiltered counts are cached for a moment.
        let counts = match filter.created_after {
            None => Value::clone(&*ui.app.counts().get_or_load(caller.tenant, read).await?),
            Some(_) => read().await?,
        };
        Ok::<_, Refusal>(serde_json::from_value(counts).ok())
    };
    let (runs, counts): (_, Option<Counts>) = tokio::try_join!(list(&ui.app, caller, &filter, &paging), counted)?;
    let icon = if counts.as_ref().is_some_and(|counts| counts.contains_key("running")) { Icon::Running } else { Icon::Idle };
    let is_filtered = query.pairs().iter().any(|(_, value)| !value.is_empty());
    let body = html! {
        header.list { h1 { "Runs" } nav.saved aria-label="Saved filters" { @for (search, name) in SAVED { a href={ "/ui/runs" (search) } { (name) } } } }
        (filters(&query))
        div #runs data-live="runs" {
            (chips(&query, counts.as_ref()))
            @if runs.data.is_empty() {
                @if is_filtered {
                    (empty("No runs match these filters", &html! { "Change the filters, or " a href="/ui/runs" { "show all runs" } "." }))
                } @else {
                    (empty("No runs yet", &html! { a href="/ui/runs/new" { "Submit a plan" } " here, or with " code { "nofx run examples/hello.json --watch" } "." }))
                }
            } @else {
                (table(&frame, &query, &runs.data))
                (pager("/ui/runs", &query.pairs(), runs.next_cursor.as_deref()))
            }
        }
    };
    Ok(frame.page("Runs", icon, &body))
}

fn filters(query: &Query) -> Markup {
    html! {
        form.filters method="get" action="/ui/runs" role="search" {
            input type="hidden" name="status" value=(query.status);
            label { "Goal" input type="search" name="goal" value=(query.goal) placeholder="Part of the goal"; }
            label { "Tool" input type="search" name="tool" value=(query.tool) placeholder="bash, gate:unit, …"; }
            label { "Submitted" select name="since" {
                option value="" selected[query.since.is_empty()] { "Any time" }
                @for (value, name) in SINCE { option value=(value) selected[query.since == value] { (name) } }
            } }
            label.check { input type="checkbox" name="mine" value="1" checked[query.mine == "1"]; "Needs my approval" }
            button type="submit" { "Filter" }
        }
    }
}

/// A link for each status, with its count.
fn chips(query: &Query, counts: Option<&Counts>) -> Markup {
    let count = |counts: &Counts, status: &str| match counts.get(status).copied().unwrap_or(0) {
        MAX_COUNT => "10,000+".to_owned(),
        n => n.to_string(),
    };
    html! {
        nav.chips aria-label="Status" {
            a href=(query.url(Some(("status", "")))) aria-current=[query.status.is_empty().then_some("true")] { "All" }
            @for status in RunStatus::ALL {
                a href=(query.url(Some(("status", status.as_str())))) data-status=(status.as_str()) aria-current=[(query.status == status.as_str()).then_some("true")] {
                    (status.as_str()) @if let Some(counts) = counts { " " span.count { (count(counts, status.as_str())) } }
                }
            }
        }
    }
}

fn table(frame: &Frame, query: &Query, runs: &[RunSummary]) -> Markup {
    let may = frame.session.may(Role::Contributor);
    html! {
        form method="post" action="/ui/runs/bulk" {
            input type="hidden" name="csrf" value=(frame.csrf);
            input type="hidden" name="once" value=(Uuid::now_v7());
            @for (key, value) in query.pairs() { input type="hidden" name=(key) value=(value); }
            section.scroll tabindex="0" aria-label="Runs" {
                table.runs {
                    thead { tr {
                        @if may { th.tick { span.unseen { "Select" } } }
                        th { "Status" } th { "Goal" } th.aside { "Steps" } th { "Submitted" } th.aside { "Duration" } th.aside { "Author" } th.aside { "Run" }
                    } }
                    tbody { @for run in runs { (row(frame, run, may)) } }
                }
            }
            @if may { (bulk(query)) }
        }
    }
}

/// The status of a run for people: one that waits for them is not shown as running.
fn status(run: &RunSummary) -> &'static str {
    let waits = run.status_reason.as_ref().is_some_and(|reason| reason.code == "gate");
    if waits && run.status == RunStatus::Running { "waiting" } else { run.status.as_str() }
}

fn row(frame: &Frame, run: &RunSummary, may: bool) -> Markup {
    let took = run.ended_at.unwrap_or_else(Utc::now) - run.created_at;
    html! {
        tr id={ "r" (run.id.simple()) } data-status=(run.status.as_str()) {
            @if may { td.tick { input type="checkbox" name="run" value=(run.id) aria-label={ "Select " (run.goal) }; } }
            td { (badge(status(run))) }
            td.goal { a href={ "/ui/runs/" (run.id) } { (run.goal) } @if let Some(why) = &run.status_reason { (reason(frame, run, why)) } }
            td.aside { (run.steps_total.saturating_sub(run.open_steps)) "/" (run.steps_total) }
            td { (when(run.created_at)) }
            td.aside data-since=[run.ended_at.is_none().then(|| run.created_at.timestamp_millis())] { (duration(took.num_milliseconds())) }
            td.aside { (frame.who(&run.created_by)) }
            td.aside { (id(&run.id)) }
        }
    }
}

/// Why a run failed or waits, with a link to the step.
fn reason(frame: &Frame, run: &RunSummary, why: &StatusReason) -> Markup {
    let message = frame.named(why.message.as_deref().unwrap_or_default());
    let words = match why.code.as_str() {
        "gate" => "waiting for approval at",
        "breaker" => "waiting on an open breaker at",
        "timer" => "waiting on a timer at",
        "quota" => "waiting for the quota of the tenant at",
        _ => "at",
    };
    html! {
        span.why {
            @if let Some(step) = &why.step_name {
                (words) " " a href={ "/ui/runs/" (run.id) "?" (url::query([("step", step.as_str())])) "#drawer" } { (step) } ": "
            }
            (message)
        }
    }
}

fn bulk(query: &Query) -> Markup {
    html! {
        fieldset.bulk {
            legend { "Selected runs" }
            input type="text" name="reason" maxlength="500" placeholder="Reason" aria-label="Reason";
            button type="submit" name="action" value="retry" { "Retry" }
            button type="submit" name="action" value="cancel" { "Cancel" }
            @if query.status == "failed" {
                button type="submit" name="action" value="retry-all" { "Retry all matching runs" }
            }
            @if matches!(query.status.as_str(), "queued" | "running" | "paused") {
                button type="submit" name="action" value="cancel-all" { "Cancel all matching runs" }
            }
        }
    }
}
