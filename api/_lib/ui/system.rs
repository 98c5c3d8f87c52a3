//! `/ui/system`: queues, workers, breakers, dead letters, alerts, limits, versions.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use nofx_shared::auth::Role;
use nofx_shared::containment::{Alert, Breaker, BreakerState, DeadLetter};
use nofx_shared::db::{self, Query as Rows, SCHEMA, schema_version};
use nofx_shared::engine::WorkerHeartbeat;
use nofx_shared::problem::{Kind, Problem};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Ui;
use super::api_call::{Refused, back};
use super::components::{badge, bytes, counted, duration, empty, id, when};
use super::form::Form;
use super::layout::{Frame, Icon, Page};
use super::svg::{Minute, chart};
use crate::http::{Path, Refusal};

/// A worker that has not reported for this long is offline: workers report every fifteen seconds.
const OFFLINE_S: i64 = 45;
const LETTERS: &str = "50";

#[derive(Deserialize)]
struct Load {
    at: DateTime<Utc>,
    /// Ready at the end of the minute.
    depth: i64,
    started: u32,
    p50_s: Option<f64>,
    p95_s: Option<f64>,
    failed: u32,
}

fn rows(table: &'static str, columns: &str, order: &str, limit: &str) -> Rows {
    Rows::of(table, [("select", columns), ("order", order), ("limit", limit)])
}

pub(super) async fn show(State(ui): State<Ui>, frame: Frame) -> Result<Page, Refusal> {
    let db = ui.app.db(&frame.session.caller);
    let (letters, breakers, alerts) = (
        rows("step_dlq", DeadLetter::COLUMNS, "created_at.desc,id.desc", LETTERS),
        rows("handler_health", Breaker::COLUMNS, "state.desc,target", "200"),
        rows("alert", Alert::COLUMNS, "raised_at.desc,id.desc", "20"),
    );
    let nothing = json!({});
    let (summary, load, workers, breakers, letters, alerts, version) = tokio::try_join!(
        db.call::<_, Value>("summarise_metrics", &nothing),
        db.call::<_, Vec<Load>>("queue_history", &nothing),
        read_workers(&ui, &frame),
        db.read::<Vec<Breaker>>(&breakers),
        db.read::<Vec<DeadLetter>>(&letters),
        db.read::<Vec<Alert>>(&alerts),
        schema_version(ui.app.service_db()),
    )?;
    let has_alerts = alerts.iter().any(|alert| alert.resolved_at.is_none());
    let body = html! {
        header.list { h1 { "System" } }
        div #system data-live="system" {
            (tiles(&summary))
            section #load { h2 { "Last hour" } div.charts { (charts(&load)) } }
            section #workers { h2 { "Workers" } (worker_table(&frame, &workers)) }
            section #breakers { h2 { "Breakers" } (breaker_table(&frame, &breakers)) }
            section #dlq { h2 { "Dead letters" } (dead_letter_table(&frame, &letters)) }
            section #alerts { h2 { "Alerts" } (alert_table(&alerts)) }
            section #limits { h2 { "Limits" } (limits(&ui)) }
            section #versions { h2 { "Versions" }
                dl.facts {
                    div { dt { "API" } dd { (env!("CARGO_PKG_VERSION")) } }
                    div { dt { "Schema" } dd { (version.as_deref().unwrap_or("unknown")) @if version.as_deref() != Some(SCHEMA) { ". This API expects schema " (SCHEMA) ". Run " code { "supabase db push" } "." } } }
                    @if let Some(region) = &ui.app.settings().region { div { dt { "Region" } dd { (region) } } }
                }
            }
        }
    };
    Ok(frame.page("System", if has_alerts { Icon::Failed } else { Icon::Idle }, &body))
}

/// The workers, for supervisors: all tenants share them.
async fn read_workers(ui: &Ui, frame: &Frame) -> Result<Vec<WorkerHeartbeat>, db::Error> {
    if !frame.session.may(Role::Supervisor) {
        return Ok(vec![]);
    }
    let workers = rows("worker", "name,region,version,running,concurrency,memory_bytes,started_at,seen_at", "name", "200");
    ui.app.service_db().read(&workers).await
}

/// The tenant's metrics.
fn tiles(summary: &Value) -> Markup {
    let number = |name: &str| summary[name].as_i64().unwrap_or(0);
    let facts = [
        ("ready", "Ready steps"),
        ("throttled", "Throttled"),
        ("waiting_on_timer", "On a timer"),
        ("waiting_on_breaker", "Behind an open breaker"),
        ("gates_pending", "Pending gates"),
        ("dead_letters", "Dead letters"),
        ("breakers_open", "Open breakers"),
        ("alerts_open", "Open alerts"),
    ];
    let oldest = summary["oldest_ready_s"].as_f64();
    html! {
        dl.tiles {
            @for (name, what) in facts { div data-alarm[number(name) > 0 && matches!(name, "breakers_open" | "alerts_open" | "dead_letters")] { dt { (what) } dd { (number(name)) } } }
            div { dt { "Oldest ready step" } dd { (oldest.map_or_else(|| "—".to_owned(), seconds)) } }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "milliseconds of a wait fit")]
fn seconds(value: f64) -> String {
    duration((value * 1000.0) as i64)
}

#[expect(clippy::cast_precision_loss, reason = "a bar of a chart")]
fn depth(minute: &Load) -> f64 {
    minute.depth as f64
}

fn charts(load: &[Load]) -> Markup {
    let minutes = |value: fn(&Load) -> f64, text: fn(f64) -> String| -> Vec<Minute> {
        load.iter().map(|minute| Minute { at: minute.at, value: value(minute), text: text(value(minute)) }).collect()
    };
    let count = |value: f64| format!("{value:.0}");
    html! {
        (chart("Queue depth", &minutes(depth, count)))
        (chart("Steps started per minute", &minutes(|minute| f64::from(minute.started), count)))
        (chart("Queue latency, p50", &minutes(|minute| minute.p50_s.unwrap_or(0.0), seconds)))
        (chart("Queue latency, p95", &minutes(|minute| minute.p95_s.unwrap_or(0.0), seconds)))
        (chart("Steps failed per minute", &minutes(|minute| f64::from(minute.failed), count)))
    }
}

fn worker_table(frame: &Frame, workers: &[WorkerHeartbeat]) -> Markup {
    if !frame.session.may(Role::Supervisor) {
        return html! { p.hint { "Workers are shared by all tenants. Only supervisors can see them." } };
    }
    if workers.is_empty() {
        return empty(
            "No worker has reported in the last hour",
            &html! { "Steps run once a worker starts: " code { "nofx dev" } " locally, the ECS service in a deployment." },
        );
    }
    html! {
        section.scroll tabindex="0" aria-label="Workers" {
            table {
                thead { tr { th { "Worker" } th { "Leases" } th { "Memory" } th { "Version" } th { "Region" } th { "Started" } th { "Last seen" } } }
                tbody {
                    @for worker in workers {
                        @let is_offline = worker.seen_at.is_none_or(|seen| (Utc::now() - seen).num_seconds() > OFFLINE_S);
                        tr {
                            td { (badge(if is_offline { "offline" } else { "running" })) " " (worker.name) }
                            td { (worker.running) " of " (worker.concurrency) }
                            td { (bytes(i64::try_from(worker.memory_bytes).unwrap_or(i64::MAX))) }
                            td { (worker.version) }
                            td { (worker.region.as_deref().unwrap_or("—")) }
                            td { (when(worker.started_at)) }
                            td { @if let Some(seen) = worker.seen_at { (when(seen)) } }
                        }
                    }
                }
            }
        }
    }
}

fn breaker_table(frame: &Frame, breakers: &[Breaker]) -> Markup {
    if breakers.is_empty() {
        return html! { p.hint { "No recent failures. All breakers are closed." } };
    }
    html! {
        section.scroll tabindex="0" aria-label="Breakers" {
            table {
                thead { tr { th { "Target" } th { "State" } th { "Successes" } th { "Failures" } th { "Next probe" } th { "Last error" } th { "Actions" } } }
                tbody {
                    @for breaker in breakers {
                        @let state = serde_json::to_value(breaker.state).unwrap_or_default();
                        tr {
                            td { (breaker.target) }
                            td { (badge(state.as_str().unwrap_or_default())) }
                            td { (breaker.succeeded) }
                            td { (breaker.failed) }
                            td { @if let Some(probe) = breaker.probe_at { (when(probe)) } }
                            td { (breaker.last_error.as_deref().unwrap_or("")) }
                            td { @if breaker.state != BreakerState::Closed && frame.session.may(Role::Supervisor) {
                                form.action method="post" action="/ui/system/breakers" {
                                    input type="hidden" name="csrf" value=(frame.csrf);
                                    input type="hidden" name="target" value=(breaker.target);
                                    button type="submit" { "Close" span.unseen { " " (breaker.target) } }
                                }
                            } }
                        }
                    }
                }
            }
        }
    }
}

/// `POST /ui/system/breakers`
pub(super) async fn close_breaker(State(ui): State<Ui>, form: Form) -> Response {
    let body = json!({"target": form.fields.text("target").unwrap_or_default(), "close": true});
    let outcome = ui.post(&form, "/breakers", &body).await;
    back(&form, "/ui/system#breakers", &outcome.map(|_| "Breaker closed. Steps that waited for it will run.".to_owned()))
}

fn dead_letter_table(frame: &Frame, letters: &[DeadLetter]) -> Markup {
    if letters.is_empty() {
        return html! { p.hint { "The dead-letter queue is empty." } };
    }
    let may = frame.session.may(Role::Contributor);
    html! {
        form method="post" action="/ui/system/dlq/requeue" {
            input type="hidden" name="csrf" value=(frame.csrf);
            section.scroll tabindex="0" aria-label="Dead letters" {
                table {
                    thead { tr { @if may { th.tick { span.unseen { "Select" } } } th { "Step" } th { "Reason" } th { "Attempts" } th { "Error" } th { "Added" } th { "Dead letter" } } }
                    tbody {
                        @for letter in letters {
                            @let reason = letter.reason.as_str();
                            tr {
                                @if may { td.tick { input type="checkbox" name="letter" value=(letter.id) aria-label={ "Select " (letter.name) }; } }
                                td { a href={ "/ui/runs/" (letter.run_id) } { (letter.name) } span.hint { " " (letter.tool) } }
                                td { (reason) }
                                td { (letter.attempts) }
                                td { (letter.error["message"].as_str().unwrap_or_default()) }
                                td { (when(letter.created_at)) }
                                td { (id(&letter.id)) }
                            }
                        }
                    }
                }
            }
            @if may {
                div.actions {
                    button type="submit" { "Requeue selected" }
                    @if frame.session.may(Role::Supervisor) { button.danger type="submit" formaction="/ui/system/dlq/purge" { "Purge selected" } }
                }
            }
        }
    }
}

/// `POST /ui/system/dlq/requeue | purge`
pub(super) async fn requeue_or_purge(State(ui): State<Ui>, Path(verb): Path<String>, form: Form) -> Result<Response, Refusal> {
    let is_requeue = match verb.as_str() {
        "requeue" => true,
        "purge" => false,
        _ => return Err(Problem::new(Kind::NotFound, "Dead letters can be requeued or purged.").into()),
    };
    let letters: Vec<&str> = form.fields.all("letter").collect();
    let outcome = if letters.is_empty() {
        Err(Refused { title: "Select at least one dead letter".to_owned(), ..Refused::default() })
    } else {
        let outcome = ui.post(&form, &format!("/dlq/{verb}"), &json!({"ids": letters})).await;
        let count = counted(letters.len(), "dead letter");
        outcome.map(|_| match (is_requeue, letters.len()) {
            (true, 1) => format!("Requeued {count}; its run is running again."),
            (true, _) => format!("Requeued {count}; their runs are running again."),
            (false, _) => format!("Purged {count}."),
        })
    };
    Ok(back(&form, "/ui/system#dlq", &outcome))
}

fn alert_table(alerts: &[Alert]) -> Markup {
    if alerts.is_empty() {
        return html! { p.hint { "No alerts." } };
    }
    html! {
        section.scroll tabindex="0" aria-label="Alerts" {
            table {
                thead { tr { th { "Alert" } th { "Value" } th { "Threshold" } th { "Raised" } th { "Resolved" } } }
                tbody {
                    @for alert in alerts {
                        @let kind = serde_json::to_value(alert.kind).unwrap_or_default();
                        tr {
                            td { (badge(if alert.resolved_at.is_none() { "open" } else { "closed" })) " " (kind.as_str().unwrap_or_default().replace('_', " ")) }
                            td { (alert.value) }
                            td { (alert.threshold) }
                            td { (when(alert.raised_at)) }
                            td { @match alert.resolved_at { Some(at) => { (when(at)) } None => { "ongoing" } } }
                        }
                    }
                }
            }
        }
    }
}

fn limits(ui: &Ui) -> Markup {
    let limits = &ui.app.settings().limits;
    let facts = [
        ("Reads per credential", limits.reads),
        ("Writes per credential", limits.writes),
        ("Requests per tenant", limits.tenant),
        ("Requests per address", limits.address),
        ("Failed authentications per address", limits.failed_auth),
    ];
    html! {
        dl.facts {
            @for (what, most) in facts { div { dt { (what) } dd { @if most == 0 { "no limit" } @else { (most) " per minute" } } } }
        }
    }
}
