//! What people see before they decide: the inputs of the step, changes, and evidence of gates.

use futures::future::try_join_all;
use maud::{Markup, html};
use nofx_shared::db::Query;
use nofx_shared::gates::Evidence;
use serde::Deserialize;
use uuid::Uuid;

use crate::artifacts::Artifact;
use crate::gates::Gate;
use crate::http::Refusal;
use crate::ui::Ui;
use crate::ui::components::{findings, json};
use crate::ui::evidence::{Text, read_evidence, read_text};
use crate::ui::layout::Frame;

/// Number of gates whose evidence is shown.
const PROOFS: &str = "5";

#[derive(Deserialize)]
struct JudgedGate {
    evidence_id: Uuid,
}

/// What people see before they decide: the inputs of the step, changes, and evidence of gates.
pub(super) async fn decision_context(ui: &Ui, frame: &Frame, gate: &Gate) -> Result<Markup, Refusal> {
    let db = ui.app.db(&frame.session.caller);
    let of_run = format!("eq.{}", gate.run_id);
    let artifacts = Query::of("artifact", [("run_id", of_run.as_str()), ("order", "created_at"), ("limit", "500")]);
    let judged = [
        ("run_id", of_run.as_str()),
        ("select", "evidence_id"),
        ("evidence_id", "not.is.null"),
        ("order", "created_at.desc"),
        ("limit", PROOFS),
    ];
    let judged = Query::of("gate", judged);
    let (artifacts, judged): (Vec<Artifact>, Vec<JudgedGate>) = tokio::try_join!(db.read(&artifacts), db.read(&judged))?;
    let proofs = judged.iter().filter_map(|gate| artifacts.iter().find(|artifact| artifact.id == gate.evidence_id));
    let proofs: Vec<Evidence> = try_join_all(proofs.map(|artifact| read_evidence(ui, artifact))).await?.into_iter().flatten().collect();
    let is_diff =
        |artifact: &&Artifact| artifact.r#type.contains("diff") || artifact.name.ends_with(".diff") || artifact.name.ends_with(".patch");
    let diff = match artifacts.iter().rev().find(is_diff) {
        Some(artifact) => Some((artifact, read_text(ui, artifact).await?)),
        None => None,
    };
    let inputs =
        gate.step.as_ref().map(|step| step["inputs"].clone()).filter(|inputs| inputs.as_object().is_some_and(|fields| !fields.is_empty()));
    Ok(html! {
        @if let Some(inputs) = inputs { section { h3 { "Step inputs" } (json(&inputs)) } }
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
