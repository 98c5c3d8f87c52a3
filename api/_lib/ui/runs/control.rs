//! Controls of one run on its page.

use axum::extract::State;
use axum::response::Response;
use nofx_shared::problem::{Kind, Problem};
use serde_json::json;
use uuid::Uuid;

use crate::http::{Path, Refusal};
use crate::ui::Ui;
use crate::ui::forms::{Form, back};

/// `POST /ui/runs/{id}/cancel | pause | resume | retry`
pub(in crate::ui) async fn control_run(
    State(ui): State<Ui>,
    Path((run, verb)): Path<(Uuid, String)>,
    form: Form,
) -> Result<Response, Refusal> {
    let reason = form.fields.text("reason");
    let (body, done) = match verb.as_str() {
        "cancel" => (json!({"reason": reason}), "Cancelling the run."),
        "pause" => (json!({}), "Run paused."),
        "resume" => (json!({}), "Run resumed."),
        "retry" => (json!({"reason": reason}), "Retrying failed steps."),
        _ => return Err(Problem::new(Kind::NotFound, "A run can be cancelled, paused, resumed or retried.").into()),
    };
    let outcome = ui.post(&form, &format!("/runs/{run}/{verb}"), &body).await;
    Ok(back(&form, &format!("/ui/runs/{run}"), &outcome.map(|_| done.to_owned())))
}

/// `POST /ui/runs/{id}/steps/{step}/retry`
pub(in crate::ui) async fn retry_step(State(ui): State<Ui>, Path((run, step)): Path<(Uuid, Uuid)>, form: Form) -> Response {
    let outcome = ui.post(&form, &format!("/runs/{run}/steps/{step}/retry"), &json!({})).await;
    back(&form, &format!("/ui/runs/{run}"), &outcome.map(|_| "Retrying the step and everything that depends on it.".to_owned()))
}
