//! The last alerts. Thresholds are set by the API.

use maud::{Markup, html};
use nofx_shared::containment::{Alert, AlertKind};
use nofx_shared::db::{Db, Error, Query};

use crate::ui::components::{badge, table, when};

pub(super) async fn read(db: &Db) -> Result<Vec<Alert>, Error> {
    db.read(&Query::of("alert", [("select", Alert::COLUMNS), ("order", Alert::ORDER), ("limit", "50")])).await
}

pub(super) fn draw(alerts: &[Alert]) -> Markup {
    if alerts.is_empty() {
        return html! { p.hint { "No alerts." } };
    }
    let head = html! { th { "Alert" } th { "Subject" } th { "Value" } th { "Threshold" } th { "Raised" } th { "Resolved" } };
    let rows = html! {
        @for alert in alerts {
            @let kind = serde_json::to_value(alert.kind).unwrap_or_default();
            tr id={ "alert-" (alert.id) } {
                td { (badge(if alert.resolved_at.is_none() { "open" } else { "closed" })) " " (kind.as_str().unwrap_or_default().replace('_', " ")) }
                td { (subject(alert)) }
                td { (alert.value.round()) }
                td { (alert.threshold) }
                td { (when(alert.raised_at)) }
                td { @match alert.resolved_at { Some(at) => { (when(at)) } None => { "ongoing" } } }
            }
        }
    };
    table("Alerts", &head, &rows)
}

/// What it is about; a gate with a link to it, and who could decide.
fn subject(alert: &Alert) -> Markup {
    if alert.kind != AlertKind::ApprovalWaiting {
        return html! { (alert.subject) };
    }
    let details = &alert.details;
    let people: Vec<&str> = details["people"].as_array().into_iter().flatten().filter_map(|one| one.as_str()).collect();
    html! {
        a href=(alert.link) { (details["gate_type"].as_str().unwrap_or("gate")) }
        span.hint {
            " " (details["role"].as_str().unwrap_or_default()) " or higher" @if !people.is_empty() { ": " (people.join(", ")) }
        }
    }
}
