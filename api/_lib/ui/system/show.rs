//! `/ui/system`: queues, workers, breakers, dead letters, alerts, limits, isolation, versions.

use axum::extract::State;
use maud::html;

use super::{alerts, breakers, dead_letters, isolation, limits, queues, versions, workers};
use crate::http::Refusal;
use crate::ui::Ui;
use crate::ui::layout::{Frame, Icon, Page};

pub(in crate::ui) async fn show(State(ui): State<Ui>, frame: Frame) -> Result<Page, Refusal> {
    let db = ui.app.db(&frame.session.caller);
    let (summary, load, workers, breakers, dead_letters, alerts, isolation, version) = tokio::try_join!(
        queues::read_summary(&db),
        queues::read_load(&db),
        workers::read(&ui, &frame),
        breakers::read(&db),
        dead_letters::read(&db),
        alerts::read(&db),
        isolation::read(&db),
        versions::read(&ui),
    )?;
    let has_alerts = alerts.iter().any(|alert| alert.resolved_at.is_none());
    let body = html! {
        header.list { h1 { "System" } }
        div #system data-live="system" {
            (queues::tiles(&summary))
            section #load { h2 { "Last hour" } div.charts { (queues::charts(&load)) } }
            section #workers { h2 { "Workers" } (workers::draw(&frame, &workers)) }
            section #breakers { h2 { "Breakers" } (breakers::draw(&frame, &breakers)) }
            section #dlq { h2 { "Dead letters" } (dead_letters::draw(&frame, &dead_letters)) }
            section #alerts { h2 { "Alerts" } (alerts::draw(&alerts)) }
            section #limits { h2 { "Limits" } (limits::draw(&ui)) }
            section #isolation { h2 { "Isolation" } (isolation::draw(&isolation)) }
            section #versions { h2 { "Versions" } (versions::draw(&ui, version.as_deref())) }
        }
    };
    Ok(frame.page("System", if has_alerts { Icon::Failed } else { Icon::Idle }, &body))
}
