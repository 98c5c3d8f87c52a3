//! Dead letters, and the form that requeues or purges some.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use nofx_shared::auth::Role;
use nofx_shared::containment::DeadLetter;
use nofx_shared::db::{Db, Error, Query};
use nofx_shared::problem::{Kind, Problem};
use serde_json::json;

use crate::http::{Path, Refusal};
use crate::ui::Ui;
use crate::ui::components::{counted, id, table, when};
use crate::ui::forms::{Form, Refused, back};
use crate::ui::layout::Frame;

/// How many are shown.
const LIMIT: &str = "50";

pub(super) async fn read(db: &Db) -> Result<Vec<DeadLetter>, Error> {
    db.read(&Query::of("step_dlq", [("select", DeadLetter::COLUMNS), ("order", "created_at.desc,id.desc"), ("limit", LIMIT)])).await
}

pub(super) fn draw(frame: &Frame, dead_letters: &[DeadLetter]) -> Markup {
    if dead_letters.is_empty() {
        return html! { p.hint { "The dead-letter queue is empty." } };
    }
    let may = frame.session.may(Role::Contributor);
    let head = html! {
        @if may { th.tick { span.unseen { "Select" } } } th { "Step" } th { "Reason" } th { "Attempts" } th { "Error" } th { "Added" } th { "Dead letter" }
    };
    let rows = html! {
        @for dead_letter in dead_letters {
            @let reason = dead_letter.reason.as_str();
            tr {
                @if may { td.tick { input type="checkbox" name="dead_letter" value=(dead_letter.id) aria-label={ "Select " (dead_letter.name) }; } }
                td { a href={ "/ui/runs/" (dead_letter.run_id) } { (dead_letter.name) } span.hint { " " (dead_letter.tool) } }
                td { (reason) }
                td { (dead_letter.attempts) }
                td { (dead_letter.error["message"].as_str().unwrap_or_default()) }
                td { (when(dead_letter.created_at)) }
                td { (id(&dead_letter.id)) }
            }
        }
    };
    html! {
        form method="post" action="/ui/system/dlq/requeue" {
            input type="hidden" name="csrf" value=(frame.csrf);
            (table("Dead letters", &head, &rows))
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
pub(in crate::ui) async fn requeue_or_purge(State(ui): State<Ui>, Path(verb): Path<String>, form: Form) -> Result<Response, Refusal> {
    let is_requeue = match verb.as_str() {
        "requeue" => true,
        "purge" => false,
        _ => return Err(Problem::new(Kind::NotFound, "Dead letters can be requeued or purged.").into()),
    };
    let dead_letters: Vec<&str> = form.fields.all("dead_letter").collect();
    let outcome = if dead_letters.is_empty() {
        Err(Refused { title: "Select at least one dead letter".to_owned(), ..Refused::default() })
    } else {
        let outcome = ui.post(&form, &format!("/dlq/{verb}"), &json!({"ids": dead_letters})).await;
        let count = counted(dead_letters.len(), "dead letter");
        outcome.map(|_| match (is_requeue, dead_letters.len()) {
            (true, 1) => format!("Requeued {count}; its run is running again."),
            (true, _) => format!("Requeued {count}; their runs are running again."),
            (false, _) => format!("Purged {count}."),
        })
    };
    Ok(back(&form, "/ui/system#dlq", &outcome))
}
