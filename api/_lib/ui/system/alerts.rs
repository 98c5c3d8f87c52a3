//! The last alerts. Thresholds are set by the API.

use maud::{Markup, html};
use nofx_shared::containment::Alert;
use nofx_shared::db::{Db, Error, Query};

use crate::ui::components::{badge, table, when};

pub(super) async fn read(db: &Db) -> Result<Vec<Alert>, Error> {
    db.read(&Query::of("alert", [("select", Alert::COLUMNS), ("order", "raised_at.desc,id.desc"), ("limit", "20")])).await
}

pub(super) fn draw(alerts: &[Alert]) -> Markup {
    if alerts.is_empty() {
        return html! { p.hint { "No alerts." } };
    }
    let head = html! { th { "Alert" } th { "Value" } th { "Threshold" } th { "Raised" } th { "Resolved" } };
    let rows = html! {
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
    };
    table("Alerts", &head, &rows)
}
