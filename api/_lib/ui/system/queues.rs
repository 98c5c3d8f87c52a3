//! The queues of a tenant: numbers now, and charts of the last hour.

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use nofx_shared::db::{Db, Error};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ui::components::duration;
use crate::ui::svg::{Minute, chart};

/// A minute of the last hour.
#[derive(Deserialize)]
pub(super) struct Load {
    at: DateTime<Utc>,
    /// Ready at the end of the minute.
    depth: i64,
    started: u32,
    p50_s: Option<f64>,
    p95_s: Option<f64>,
    failed: u32,
}

pub(super) async fn read_summary(db: &Db) -> Result<Value, Error> {
    db.call("summarise_metrics", &json!({})).await
}

pub(super) async fn read_load(db: &Db) -> Result<Vec<Load>, Error> {
    db.call("queue_history", &json!({})).await
}

/// The tenant's metrics.
pub(super) fn tiles(summary: &Value) -> Markup {
    let number = |name: &str| summary[name].as_i64().unwrap_or(0);
    let facts = [
        ("ready", "Ready steps"),
        ("throttled", "Throttled"),
        ("waiting_on_quota", "Behind a quota"),
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

pub(super) fn charts(load: &[Load]) -> Markup {
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

#[expect(clippy::cast_possible_truncation, reason = "milliseconds of a wait fit")]
fn seconds(value: f64) -> String {
    duration((value * 1000.0) as i64)
}

#[expect(clippy::cast_precision_loss, reason = "a bar of a chart")]
fn depth(minute: &Load) -> f64 {
    minute.depth as f64
}
