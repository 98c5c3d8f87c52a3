//! Forms that decide a gate.

use axum::extract::State;
use axum::response::Response;
use nofx_shared::problem::{Kind, Problem};
use serde_json::json;
use uuid::Uuid;

use crate::http::{Path, Refusal};
use crate::ui::Ui;
use crate::ui::forms::{Form, back};

/// `POST /ui/approvals/{id}/approve | reject | waive`
pub(in crate::ui) async fn decide(
    State(ui): State<Ui>,
    Path((gate, decision)): Path<(Uuid, String)>,
    form: Form,
) -> Result<Response, Refusal> {
    let done = match decision.as_str() {
        "approve" => "Approved.",
        "reject" => "Rejected. Steps that depend on it are blocked.",
        "waive" => "Waived. The run continues once as many people have approved or waived as the gate asks.",
        _ => return Err(Problem::new(Kind::NotFound, "A gate can be approved, rejected or waived.").into()),
    };
    let to = form.fields.text("back").filter(|to| to.starts_with("/ui/")).unwrap_or("/ui/approvals");
    let body = json!({"reason": form.fields.text("reason")});
    let outcome = ui.post(&form, &format!("/gates/{gate}/{decision}"), &body).await;
    Ok(back(&form, to, &outcome.map(|_| done.to_owned())))
}
