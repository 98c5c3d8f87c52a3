//! The workers, for supervisors: all tenants share them.

use chrono::Utc;
use maud::{Markup, html};
use nofx_shared::auth::Role;
use nofx_shared::db::{Error, Query};
use nofx_shared::engine::WorkerHeartbeat;

use crate::ui::Ui;
use crate::ui::components::{badge, bytes, empty, table, when};
use crate::ui::layout::Frame;

/// A worker that has not reported for this long is offline: workers report every fifteen seconds.
const OFFLINE_S: i64 = 45;

/// None for those who may not see them.
pub(super) async fn read(ui: &Ui, frame: &Frame) -> Result<Vec<WorkerHeartbeat>, Error> {
    if !frame.session.may(Role::Supervisor) {
        return Ok(vec![]);
    }
    let columns = "name,region,version,running,concurrency,memory_bytes,started_at,seen_at";
    ui.app.service_db().read(&Query::of("worker", [("select", columns), ("order", "name"), ("limit", "200")])).await
}

pub(super) fn draw(frame: &Frame, workers: &[WorkerHeartbeat]) -> Markup {
    if !frame.session.may(Role::Supervisor) {
        return html! { p.hint { "Workers are shared by all tenants. Only supervisors can see them." } };
    }
    if workers.is_empty() {
        return empty(
            "No worker has reported in the last hour",
            &html! { "Steps run once a worker starts: " code { "nofx dev" } " locally, the ECS service in a deployment." },
        );
    }
    let head =
        html! { th { "Worker" } th { "Leases" } th { "Memory" } th { "Version" } th { "Region" } th { "Started" } th { "Last seen" } };
    let rows = html! {
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
    };
    table("Workers", &head, &rows)
}
