//! `/ui/approvals`: gates that wait for people, with what they need to decide, and earlier decisions.

use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;

use super::decision_context::decision_context;
use crate::gates::{Gate, GateStatus, find, list_all};
use crate::http::{Paging, Params, Refusal};
use crate::ui::Ui;
use crate::ui::components::{badge, empty, gate_card, pager, text_field, when};
use crate::ui::layout::{Frame, Icon, Page};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct Query {
    /// The gate that is open.
    gate: Option<Uuid>,
    /// 1: decided gates.
    history: String,
    cursor: String,
}

pub(in crate::ui) async fn show(State(ui): State<Ui>, frame: Frame, Params(query): Params<Query>) -> Result<Page, Refusal> {
    let caller = &frame.session.caller;
    let paging = Paging::after(&query.cursor);
    let is_history = query.history == "1";
    let filter = if is_history {
        list_all::Filter { decided: Some(true), gate_type: Some("manual:*".to_owned()), ..list_all::Filter::default() }
    } else {
        list_all::Filter { status: Some(GateStatus::Pending), ..list_all::Filter::default() }
    };
    let gates = list_all::list(&ui.app, caller, &filter, &paging).await?;
    // The gate of the URL, even if it was decided meanwhile: otherwise someone might decide another one by mistake.
    let asked = match query.gate {
        Some(id) => Some(find(&ui.app, caller, id).await?),
        None => None,
    };
    let open = asked.as_ref().or_else(|| gates.data.first().filter(|_| !is_history));
    let context = match open {
        Some(gate) => Some(decision_context(&ui, &frame, gate).await?),
        None => None,
    };
    let body = html! {
        header.list {
            h1 { "Approvals" }
            nav.saved aria-label="Gate status" {
                a href="/ui/approvals" aria-current=[(!is_history).then_some("page")] { "Pending" }
                a href="/ui/approvals?history=1" aria-current=[is_history.then_some("page")] { "Decided" }
                a href="/ui/policies" { "Policies" }
            }
        }
        div #approvals data-live="gates" {
            @if gates.data.is_empty() && open.is_none() {
                @if is_history { (empty("No decisions yet", &html! { "Decisions appear here, with their time and reason." })) }
                @else { (empty("No pending approvals", &html! { "Steps that need an approval appear here: " code { "manual:…" } " tools, or " code { "\"approval\"" } " in a plan." })) }
            } @else {
                @if !is_history { p.hint.keys.scripted { "Keys: " kbd { "j" } " " kbd { "k" } " next or previous gate, " kbd { "a" } " approve, " kbd { "r" } " reject." } }
                div.split.open {
                    nav aria-label="Gates" { ul.queue {
                        @for gate in &gates.data {
                            li { (line(&frame, gate, is_history, open.is_some_and(|open| open.id == gate.id))) }
                        }
                    } }
                    @if let (Some(gate), Some(context)) = (open, context) {
                        section aria-label="Gate" { (gate_card(&frame, gate, "/ui/approvals")) (context) (history(&frame, gate)) }
                    }
                }
                (pager("/ui/approvals", &[("history", query.history.clone())], gates.next_cursor.as_deref()))
            }
        }
    };
    let icon = if gates.data.iter().any(|gate| gate.status == "pending") { Icon::Waiting } else { Icon::Idle };
    Ok(frame.page("Approvals", icon, &body))
}

fn line(frame: &Frame, gate: &Gate, is_history: bool, is_open: bool) -> Markup {
    let href = format!("/ui/approvals?gate={}{}", gate.id, if is_history { "&history=1" } else { "" });
    html! {
        a.gate href=(href) aria-current=[is_open.then_some("true")] {
            (badge(&gate.status)) " " strong { (gate.question.as_deref().unwrap_or(&gate.gate_type)) }
            span.hint { (text_field(&gate.run, "goal")) " · " (text_field(&gate.step, "name")) " · " (when(gate.decided_at.unwrap_or(gate.created_at))) }
            @if let Some(by) = gate.decided_by.as_deref().filter(|_| is_history) {
                span { "by " (frame.who(by)) ": " (gate.reason.as_deref().unwrap_or("no reason given")) }
            }
        }
    }
}

fn history(frame: &Frame, gate: &Gate) -> Markup {
    html! {
        @if !gate.decisions.is_empty() {
            section {
                h3 { "History" }
                ol.history {
                    @for decision in &gate.decisions {
                        li { (badge(&decision.decision)) " " (frame.who(&decision.by)) @if decision.key_id.is_some() { " (API key)" } ", " (when(decision.created_at)) ": " (decision.reason.as_deref().unwrap_or("no reason given")) }
                    }
                }
            }
        }
    }
}
