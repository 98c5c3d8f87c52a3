//! `/ui/runs/{id}`: one run.

use axum::extract::State;
use axum::http::Uri;
use maud::{Markup, html};
use nofx_shared::auth::Role;
use nofx_shared::engine::RunStatus;
use serde_json::Value;
use uuid::Uuid;

use super::graph::graph;
use super::read::{RunPage, read};
use super::shown::Shown;
use super::timeline::{UNFOLDED_BY_ITSELF, draw};
use super::{curl, drawer};
use crate::http::{Path, Refusal};
use crate::runs::usage::RunUsage;
use crate::ui::Ui;
use crate::ui::components::{badge, duration, empty, event_feed, gate_card, id, json, when};
use crate::ui::layout::{Frame, Icon, Page};
use crate::ui::newest_events::newest_events;

/// Events that the feed of a run shows.
const FEED: usize = 200;

const VIEWS: [(&str, &str); 4] = [("timeline", "Timeline"), ("graph", "Graph"), ("events", "Events"), ("plan", "Plan")];

/// The query of a run's page.
fn shown(query: Option<&str>) -> Shown {
    let mut shown = Shown { view: "timeline".to_owned(), ..Shown::default() };
    for (key, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match (key.as_ref(), value.into_owned()) {
            ("view", view) if VIEWS.iter().any(|(name, _)| *name == view) => shown.view = view,
            ("step", step) if !step.is_empty() => shown.step = Some(step),
            ("idle", idle) => shown.hides_idle = idle == "hide",
            ("open", name) => shown.unfolded.push(name),
            _ => {}
        }
    }
    shown
}

pub(in crate::ui) async fn show(State(ui): State<Ui>, frame: Frame, Path(run): Path<Uuid>, uri: Uri) -> Result<Page, Refusal> {
    let shown = shown(uri.query());
    let caller = &frame.session.caller;
    let page = read(&ui.app, caller, run).await?;
    let events = if shown.view == "events" {
        Some(newest_events(&ui.app.db(caller), vec![("run_id".to_owned(), format!("eq.{run}"))], FEED).await?)
    } else {
        None
    };
    let drawer = match shown.step.as_deref().map(|name| page.step(name)) {
        Some(Some(step)) => Some(drawer::draw(&frame, &page, &shown, step).await?),
        Some(None) => Some(html! { p { "This run has no step with that name." } }),
        None => None,
    };
    let icon = icon(&page);
    let title = format!("{} · {}", status(&page), page.run.goal);
    let is_finished = page.run.ended_at.is_some();
    let cursor = page.cursor.map(|cursor| cursor.to_string()).unwrap_or_default();
    let body = html! {
        article #run data-live=[(!is_finished).then_some("run")] data-run=(page.run.id) data-after=(cursor) data-title=(icon.title(&title)) data-icon=(icon.path()) {
            (head(&ui, &frame, &page))
            @for gate in page.pending() { (gate_card(&frame, gate, &format!("/ui/runs/{}", page.run.id))) }
            nav.tabs aria-label="Run views" {
                @for (view, name) in VIEWS {
                    a href=(shown.to_query(view, shown.step.as_deref(), shown.hides_idle)) aria-current=[(shown.view == view).then_some("page")] { (name) }
                }
                @if shown.view == "timeline" {
                    a.option href=(shown.to_query("timeline", shown.step.as_deref(), !shown.hides_idle)) {
                        (if shown.hides_idle { "Show idle time" } else { "Hide idle time" })
                    }
                    span.zoom.scripted { button type="button" data-zoom="in" { "Zoom in" } button type="button" data-zoom="out" { "Zoom out" } }
                }
            }
            div.split.open[drawer.is_some()] {
                section.view aria-label=(shown.view) {
                    @match shown.view.as_str() {
                        "graph" => { (graph(&page, &shown)) }
                        "events" => {
                            (event_feed(events.as_deref().unwrap_or_default(), true))
                            p { a href={ "/ui/events?run=" (page.run.id) } { "All events of this run" } }
                        }
                        "plan" => { (json(&page.run.plan)) }
                        _ => { (draw(&page, &shown)) (unfolding(&page, &shown)) }
                    }
                }
                aside #drawer aria-label="Step" hidden[drawer.is_none()] { @if let Some(drawer) = drawer { (drawer) } }
            }
        }
    };
    Ok(frame.page(&title, icon, &body))
}

/// The status of a run for people: one that waits for them is not shown as running.
fn status(page: &RunPage) -> &'static str {
    if page.run.status == RunStatus::Running && page.pending().next().is_some() { "waiting" } else { page.run.status.as_str() }
}

fn icon(page: &RunPage) -> Icon {
    match page.run.status {
        RunStatus::Succeeded => Icon::Succeeded,
        RunStatus::Failed => Icon::Failed,
        RunStatus::Cancelled => Icon::Idle,
        RunStatus::Paused => Icon::Waiting,
        RunStatus::Queued | RunStatus::Running | RunStatus::Cancelling => {
            if page.pending().next().is_some() {
                Icon::Waiting
            } else {
                Icon::Running
            }
        }
    }
}

fn head(ui: &Ui, frame: &Frame, page: &RunPage) -> Markup {
    let run = &page.run;
    let trace = run.traceparent.as_deref().and_then(|parent| parent.split('-').nth(1));
    let took = run.ended_at.unwrap_or_else(chrono::Utc::now) - run.created_at;
    let done = run.steps_total.saturating_sub(run.open_steps);
    html! {
        header.run {
            h1 { (badge(status(page))) " " (run.goal) }
            @if let Some(error) = &run.error { p.why { (frame.named(&why(error))) } }
            @if run.status == RunStatus::Paused { p.why { "Paused. Running steps will finish; no new steps start." } }
            dl.facts {
                div { dt { "Run" } dd { (id(&run.id)) } }
                div { dt { "Steps" } dd { (done) " of " (run.steps_total) " finished" } }
                div { dt { "Submitted" } dd { (when(run.created_at)) } }
                div { dt { "Author" } dd { (frame.who(&run.created_by)) } }
                div { dt { "Duration" } dd data-since=[run.ended_at.is_none().then(|| run.created_at.timestamp_millis())] { (duration(took.num_milliseconds())) } }
                @if page.cost_usd > 0.0 { div { dt { "Model cost" } dd { (format!("{:.4} USD", page.cost_usd)) } } }
                @if let Some(used) = run.sandbox {
                    div { dt { "Programs" } dd { (programs(&used)) } }
                    @if used.cost_micro_usd > 0 { div { dt { "Sandbox cost" } dd { (format!("{:.6} USD", used.cost_micro_usd as f64 / 1e6)) } } }
                }
                @if let Some(trace) = trace {
                    div { dt { "Trace" } dd {
                        @match &ui.app.settings().trace_url {
                            Some(url) => { a href=(url.replace("{trace_id}", trace)) rel="noreferrer" { (&trace[..trace.len().min(8)]) "…" } }
                            None => { button.copy type="button" data-copy=(trace) { (&trace[..trace.len().min(8)]) "…" } }
                        }
                    } }
                }
            }
            (actions(frame, page))
        }
    }
}

/// What the programs of a run's steps used.
fn programs(used: &RunUsage) -> String {
    let time = |ms: u64| duration(i64::try_from(ms).unwrap_or(i64::MAX));
    format!("{}, CPU {}, {} MiB at most", time(used.wall_ms), time(used.cpu_ms), used.max_rss_bytes.div_ceil(1 << 20))
}

/// A run's error in one line: at which step, and what.
fn why(error: &Value) -> String {
    let message = error["message"].as_str().unwrap_or("failed without an error message");
    match error["step"].as_str() {
        Some(step) => format!("At {step}: {message}"),
        None => message.to_owned(),
    }
}

fn actions(frame: &Frame, page: &RunPage) -> Markup {
    let run = &page.run;
    let may = frame.session.may(Role::Contributor);
    let goes_on = matches!(run.status, RunStatus::Queued | RunStatus::Running | RunStatus::Paused);
    let button = |verb: &str, name: &str, asks: bool| {
        html! {
            form.action method="post" action={ "/ui/runs/" (run.id) "/" (verb) } {
                input type="hidden" name="csrf" value=(frame.csrf);
                @if asks { input type="text" name="reason" placeholder="Reason" aria-label={ (name) ": reason" } maxlength="500"; }
                button type="submit" { (name) }
            }
        }
    };
    html! {
        div.actions {
            @if may {
                @if run.status == RunStatus::Running { (button("pause", "Pause", false)) }
                @if run.status == RunStatus::Paused { (button("resume", "Resume", false)) }
                @if run.status == RunStatus::Failed { (button("retry", "Retry failed steps", true)) }
                @if goes_on { (button("cancel", "Cancel", true)) }
                a.button href={ "/ui/runs/new?from=" (run.id) } { "Run again with changes" }
            }
            details.curl { summary { "curl command" } (curl::draw(&run.plan)) }
        }
    }
}

/// Links that show or hide the children of `for_each` steps.
fn unfolding(page: &RunPage, shown: &Shown) -> Markup {
    let parents: Vec<_> = page.run.steps.iter().filter(|step| page.children(step).nth(UNFOLDED_BY_ITSELF).is_some()).collect();
    html! {
        @for parent in parents {
            @let (verb, other) = shown.toggled(&parent.name);
            p { a href=(other.link(shown.step.as_deref())) { (verb) " children of " (parent.name) } }
        }
        @if page.run.steps.is_empty() { (empty("No steps", &html! { "The plan has no steps." })) }
    }
}
