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

pub(super) fn draw(frame: &Frame, letters: &[DeadLetter]) -> Markup {
    if letters.is_empty() {
        return html! { p.hint { "The dead-letter queue is empty." } };
    }
    let may = frame.session.may(Role::Contributor);
    let head = html! {
        @if may { th.tick { span.unseen { "Select" } } } th { "Step" } th { "Reason" } th { "Attempts" } th { "Error" } th { "Added" } th { "Dead letter" }
    };
    let rows = html! {
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
