//! `/ui/policies`: what must be true before a tool may run, what is asked of each gate, and the form that sets it.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use nofx_shared::auth::Role;
use serde_json::{Value, json};

use crate::gates::{GatePolicy, list_policies};
use crate::http::Refusal;
use crate::ui::Ui;
use crate::ui::components::{table, when};
use crate::ui::forms::{Form, Refused, back};
use crate::ui::layout::{Frame, Icon, Page};

pub(in crate::ui) async fn policies(State(ui): State<Ui>, frame: Frame) -> Result<Page, Refusal> {
    let policies = list_policies(&ui.app, &frame.session.caller).await?;
    let body = html! {
        header.list { h1 { "Gate policies" } }
        p.hint { "A step waits until the gates that its tool requires have passed with what is asked of them. A policy of your tenant replaces the default." }
        (draw(&frame, &policies))
        @if frame.session.may(Role::Admin) { (form(&frame)) }
    };
    Ok(frame.page("Gate policies", Icon::Idle, &body))
}

fn draw(frame: &Frame, policies: &[GatePolicy]) -> Markup {
    let head = html! { th { "Tool" } th { "Gates" } th { "Approval" } th { "Set by" } th { "Changed" } };
    let rows = html! {
        @for policy in policies {
            tr {
                td { code { (policy.tool) } }
                td { @for gate in &policy.requires { div { code { (shown(&json!(gate))) } } } }
                td { (policy.approval.as_ref().map_or_else(|| "none".to_owned(), approval)) }
                td { @if policy.tenant_id.is_some() { (frame.who(&policy.changed_by)) } @else { "default" } }
                td { (when(policy.changed_at)) }
            }
        }
    };
    table("Gate policies", &head, &rows)
}

/// A gate by its name, with what is asked of it.
fn shown(gate: &Value) -> String {
    let name = gate.as_str().or_else(|| gate["gate"].as_str()).unwrap_or_default();
    let asked = gate.as_object().into_iter().flatten().filter(|(field, _)| *field != "gate");
    asked.fold(name.to_owned(), |text, (field, value)| format!("{text} {field}={value}"))
}

/// Who must approve, in words.
fn approval(approval: &Value) -> String {
    let role = approval["role"].as_str().unwrap_or("supervisor");
    let mut text = format!("{} by {role} or higher", approval["count"].as_u64().unwrap_or(1));
    for (field, what) in [("author_may_approve", "; the author too"), ("keys_may_approve", "; API keys too")] {
        if approval[field] == true {
            text.push_str(what);
        }
    }
    text
}

fn form(frame: &Frame) -> Markup {
    html! {
        section.card {
            h2 { "Set a policy" }
            form method="post" action="/ui/approvals/policies" {
                input type="hidden" name="csrf" value=(frame.csrf);
                label { "Tool" input type="text" name="tool" required maxlength="200" placeholder="git:pr, manual:*, db_write:delete"; }
                label { "Gates" textarea name="requires" rows="4" placeholder="[\"gate:lint\", {\"gate\": \"gate:unit\", \"command\": \"make test\"}]" {} }
                label { "Approval" input type="text" name="approval" placeholder="{\"count\": 2}"; }
                button.primary type="submit" { "Set policy" }
            }
        }
    }
}

/// `POST /ui/approvals/policies`
pub(in crate::ui) async fn set_policy(State(ui): State<Ui>, form: Form) -> Response {
    let outcome = match body(&form) {
        Ok(body) => ui.post(&form, "/gates/policies", &body).await.map(|_| "Policy set.".to_owned()),
        Err(refused) => Err(refused),
    };
    back(&form, "/ui/policies", &outcome)
}

fn body(form: &Form) -> Result<Value, Refused> {
    let read = |name: &'static str, otherwise: Value| match form.fields.text(name) {
        None => Ok(otherwise),
        Some(text) => serde_json::from_str(text).map_err(|error| Refused {
            title: "Invalid gate policy".to_owned(),
            detail: format!("{name} is not valid JSON: {error}."),
            ..Refused::default()
        }),
    };
    let tool = form.fields.text("tool").unwrap_or_default();
    Ok(json!({"tool": tool, "requires": read("requires", json!([]))?, "approval": read("approval", Value::Null)?}))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{approval, shown};

    #[test]
    fn a_gate_is_shown_with_what_is_asked_of_it() {
        assert_eq!(shown(&json!("gate:lint")), "gate:lint");
        assert_eq!(approval(&json!({})), "1 by supervisor or higher");
        assert_eq!(approval(&json!({"count": 2, "role": "admin", "keys_may_approve": true})), "2 by admin or higher; API keys too");
        assert_eq!(
            shown(&json!({"gate": "gate:unit", "command": "make test", "min_tests": 3})),
            "gate:unit command=\"make test\" min_tests=3"
        );
    }
}
