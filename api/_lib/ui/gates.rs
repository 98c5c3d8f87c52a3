//! `/ui/approvals`: gates that wait for people, with what they need to decide, and earlier decisions.

use axum::extract::State;
use axum::response::Response;
use futures::future::try_join_all;
use maud::{Markup, html};
use nofx_shared::auth::Role;
use nofx_shared::db::Query as Rows;
use nofx_shared::gates::Evidence;
use nofx_shared::problem::{Kind, Problem};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Ui;
use super::api_call::back;
use super::artifacts::{Text, evidence, text};
use super::components::{badge, empty, id, json as shown, pager, when};
use super::form::Form;
use super::layout::{Frame, Icon, Page};
use super::runs::findings;
use crate::artifacts::Artifact;
use crate::gates::{Gate, GateStatus, find, list_all};
use crate::http::{Paging, Params, Path, Refusal};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    /// The gate that is open.
    gate: Option<Uuid>,
    /// 1: decided gates.
    history: String,
    cursor: String,
}

pub(super) async fn show(State(ui): State<Ui>, frame: Frame, Params(query): Params<Query>) -> Result<Page, Refusal> {
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
                        section aria-label="Gate" { (card(&frame, gate, "/ui/approvals")) (context) (history(&frame, gate)) }
                    }
                }
                (pager("/ui/approvals", &[("history", query.history.clone())], gates.next_cursor.as_deref()))
            }
        }
    };
    let icon = if gates.data.iter().any(|gate| gate.status == "pending") { Icon::Waiting } else { Icon::Idle };
    Ok(frame.page("Approvals", icon, &body))
}

fn of<'a>(value: &'a Option<Value>, field: &str) -> &'a str {
    value.as_ref().and_then(|value| value[field].as_str()).unwrap_or_default()
}

fn line(frame: &Frame, gate: &Gate, is_history: bool, is_open: bool) -> Markup {
    let href = format!("/ui/approvals?gate={}{}", gate.id, if is_history { "&history=1" } else { "" });
    html! {
        a.gate href=(href) aria-current=[is_open.then_some("true")] {
            (badge(&gate.status)) " " strong { (gate.question.as_deref().unwrap_or(&gate.gate_type)) }
            span.hint { (of(&gate.run, "goal")) " · " (of(&gate.step, "name")) " · " (when(gate.decided_at.unwrap_or(gate.created_at))) }
            @if let Some(by) = gate.decided_by.as_deref().filter(|_| is_history) {
                span { "by " (frame.who(by)) ": " (gate.reason.as_deref().unwrap_or("no reason given")) }
            }
        }
    }
}

/// A gate, with buttons for those who may decide it.
pub(super) fn card(frame: &Frame, gate: &Gate, back_to: &str) -> Markup {
    let approvals = gate.decisions.iter().filter(|decision| decision.decision == "approve").count();
    html! {
        section.card data-gate=(gate.id) {
            h2 { (gate.question.as_deref().unwrap_or("Decision required")) }
            dl.facts {
                div { dt { "Gate" } dd { (gate.gate_type) " " (id(&gate.id)) } }
                @if gate.run.is_some() { div { dt { "Run" } dd { a href={ "/ui/runs/" (gate.run_id) } { (of(&gate.run, "goal")) } } } }
                @if gate.step.is_some() { div { dt { "Step" } dd { (of(&gate.step, "name")) " · " (of(&gate.step, "tool")) } } }
                @if gate.run.is_some() { div { dt { "Author" } dd { (frame.who(of(&gate.run, "created_by"))) } } }
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

/// Number of gates whose evidence is shown.
const PROOFS: &str = "5";

#[derive(Deserialize)]
struct Judged {
    evidence_id: Uuid,
}

/// What people see before they decide: the inputs of the step, changes, and evidence of gates.
async fn decision_context(ui: &Ui, frame: &Frame, gate: &Gate) -> Result<Markup, Refusal> {
    let db = ui.app.db(&frame.session.caller);
    let of_run = format!("eq.{}", gate.run_id);
    let artifacts = Rows::of("artifact", [("run_id", of_run.as_str()), ("order", "created_at"), ("limit", "500")]);
    let judged = [
        ("run_id", of_run.as_str()),
        ("select", "evidence_id"),
        ("evidence_id", "not.is.null"),
        ("order", "created_at.desc"),
        ("limit", PROOFS),
    ];
    let judged = Rows::of("gate", judged);
    let (artifacts, judged): (Vec<Artifact>, Vec<Judged>) = tokio::try_join!(db.read(&artifacts), db.read(&judged))?;
    let proofs = judged.iter().filter_map(|gate| artifacts.iter().find(|artifact| artifact.id == gate.evidence_id));
    let proofs: Vec<Evidence> = try_join_all(proofs.map(|artifact| evidence(ui, artifact))).await?.into_iter().flatten().collect();
    let is_diff = |artifact: &&Artifact| {
        artifact.media_type.contains("diff") || artifact.name.ends_with(".diff") || artifact.name.ends_with(".patch")
    };
    let diff = match artifacts.iter().rev().find(is_diff) {
        Some(artifact) => Some((artifact, text(ui, artifact).await?)),
        None => None,
    };
    let inputs =
        gate.step.as_ref().map(|step| step["inputs"].clone()).filter(|inputs| inputs.as_object().is_some_and(|fields| !fields.is_empty()));
    Ok(html! {
        @if let Some(inputs) = inputs { section { h3 { "Step inputs" } (shown(&inputs)) } }
        @if let Some((artifact, Text { text, is_cut })) = &diff {
            section {
                h3 { "Changes in " (artifact.name) }
                pre.diff tabindex="0" { @for line in text.lines() { span.line data-change=[change(line)] { (line) "\n" } } }
                @if *is_cut { p.hint { a href={ "/ui/artifacts/signed?id=" (artifact.id) } { "Download full file" } } }
            }
        }
        @if !proofs.is_empty() {
            section { h3 { "Evidence" } @for proof in &proofs { h4 { (proof.gate) } (findings(proof)) } }
        }
    })
}

fn change(line: &str) -> Option<&'static str> {
    match line.as_bytes().first() {
        Some(b'+') if !line.starts_with("+++") => Some("added"),
        Some(b'-') if !line.starts_with("---") => Some("removed"),
        Some(b'@') => Some("place"),
        _ => None,
    }
}

fn history(frame: &Frame, gate: &Gate) -> Markup {
    html! {
        @if !gate.decisions.is_empty() {
            section {
                h3 { "History" }
                ol.history {
                    @for decision in &gate.decisions {
                        li { (badge(&decision.decision)) " " (frame.who(&decision.by)) ", " (when(decision.created_at)) ": " (decision.reason.as_deref().unwrap_or("no reason given")) }
                    }
                }
            }
        }
    }
}

/// `POST /ui/approvals/{id}/approve | reject | waive`
pub(super) async fn decide(State(ui): State<Ui>, Path((gate, decision)): Path<(Uuid, String)>, form: Form) -> Result<Response, Refusal> {
    let done = match decision.as_str() {
        "approve" => "Approved.",
        "reject" => "Rejected. Steps that depend on it are blocked.",
        "waive" => "Waived. The run continues without the missing approvals.",
        _ => return Err(Problem::new(Kind::NotFound, "A gate can be approved, rejected or waived.").into()),
    };
    let to = form.fields.text("back").filter(|to| to.starts_with("/ui/")).unwrap_or("/ui/approvals");
    let body = json!({"reason": form.fields.text("reason")});
    let outcome = ui.post(&form, &format!("/gates/{gate}/{decision}"), &body).await;
    Ok(back(&form, to, &outcome.map(|_| done.to_owned())))
}
