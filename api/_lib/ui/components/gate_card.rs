//! A gate as a card: its facts, and the form that decides it.

use maud::{Markup, html};
use nofx_shared::auth::Role;

use super::{badge, id, text_field, when};
use crate::gates::Gate;
use crate::ui::layout::Frame;

/// A gate, with buttons for those who may decide it.
pub(in crate::ui) fn gate_card(frame: &Frame, gate: &Gate, back_to: &str) -> Markup {
    let approvals = gate.decisions.iter().filter(|decision| decision.decision == "approve").count();
    html! {
        section.card data-gate=(gate.id) {
            h2 { (gate.question.as_deref().unwrap_or("Decision required")) }
            dl.facts {
                div { dt { "Gate" } dd { (gate.gate_type) " " (id(&gate.id)) } }
                @if gate.run.is_some() { div { dt { "Run" } dd { a href={ "/ui/runs/" (gate.run_id) } { (text_field(&gate.run, "goal")) } } } }
                @if gate.step.is_some() { div { dt { "Step" } dd { (text_field(&gate.step, "name")) " · " (text_field(&gate.step, "tool")) } } }
                @if gate.run.is_some() { div { dt { "Author" } dd { (frame.who(text_field(&gate.run, "created_by"))) } } }
                div { dt { "Approvals" } dd { (approvals) " of " (gate.approvals_required) } }
                div { dt { "Requested" } dd { (when(gate.created_at)) } }
                @if let Some(expires) = gate.expires_at { div { dt { "Expires" } dd { (when(expires)) } } }
            }
            @if gate.status == "pending" { (buttons(frame, gate, back_to)) }
            @else { p { (badge(&gate.status)) @if let Some(by) = gate.decided_by.as_deref() { " by " (frame.who(by)) } ": " (gate.reason.as_deref().unwrap_or("no reason given")) } }
        }
    }
}

fn buttons(frame: &Frame, gate: &Gate, back_to: &str) -> Markup {
    let action = |decision: &str| format!("/ui/approvals/{}/{decision}", gate.id);
    if !frame.session.may(gate.role) {
        let role = serde_json::to_value(gate.role).unwrap_or_default();
        return html! { p.hint { "Requires the " (role.as_str().unwrap_or_default()) " role or higher." } };
    }
    html! {
        form.decide method="post" action=(action("approve")) {
            input type="hidden" name="csrf" value=(frame.csrf);
            input type="hidden" name="back" value=(back_to);
            label { "Reason" input type="text" name="reason" maxlength="2000" placeholder="Saved with your decision"; }
            button.primary type="submit" data-key="a" { "Approve" }
            button.danger type="submit" data-key="r" formaction=(action("reject")) { "Reject" }
            @if frame.session.may(Role::Supervisor) { button type="submit" formaction=(action("waive")) { "Waive (reason required)" } }
        }
    }
}
