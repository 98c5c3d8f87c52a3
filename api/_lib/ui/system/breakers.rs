//! Breakers, and the form that closes one.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use nofx_shared::auth::Role;
use nofx_shared::containment::{Breaker, BreakerState};
use nofx_shared::db::{Db, Error, Query};
use serde_json::json;

use crate::ui::Ui;
use crate::ui::components::{badge, table, when};
use crate::ui::forms::{Form, back};
use crate::ui::layout::Frame;

pub(super) async fn read(db: &Db) -> Result<Vec<Breaker>, Error> {
    db.read(&Query::of("handler_health", [("select", Breaker::COLUMNS), ("order", "state.desc,target"), ("limit", "200")])).await
}

pub(super) fn draw(frame: &Frame, breakers: &[Breaker]) -> Markup {
    if breakers.is_empty() {
        return html! { p.hint { "No recent failures. All breakers are closed." } };
    }
    let head = html! { th { "Target" } th { "State" } th { "Successes" } th { "Failures" } th { "Next probe" } th { "Last error" } th { "Actions" } };
    let rows = html! {
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
    };
    table("Breakers", &head, &rows)
}

/// `POST /ui/system/breakers`
pub(in crate::ui) async fn close_breaker(State(ui): State<Ui>, form: Form) -> Response {
    let body = json!({"target": form.fields.text("target").unwrap_or_default(), "close": true});
    let outcome = ui.post(&form, "/breakers", &body).await;
    back(&form, "/ui/system#breakers", &outcome.map(|_| "Breaker closed. Steps that waited for it will run.".to_owned()))
}
