//! From a gate and a workspace to the evidence document, wherever the gate runs. Where the document is saved is decided by whoever asked:
//! see `run_gate` and `working_tree`.

use chrono::Utc;
use nofx_shared::engine::Failure;
use nofx_shared::gates::{Evidence, Input};
use nofx_shared::secrets::Mask;

use super::context::GateContext;
use super::gate::Gate;
use super::judgement::Judgement;
use crate::workspace::Begun;

/// A verdict with its evidence, and what the tool printed, secrets masked.
pub(crate) struct GateResult {
    pub evidence: Evidence,
    pub log: String,
}

/// Judges the workspace.
pub(crate) async fn judge<G: Gate>(context: &GateContext<'_>, inputs: G::Inputs) -> Result<GateResult, Failure> {
    let started_at = Utc::now();
    // Before: what the gate's programs change was not there when they began.
    let judged = checked_out(context).await?;
    let mut judgement = G::judge(context, inputs).await?;
    let duration_ms = (Utc::now() - started_at).num_milliseconds();
    judgement.inputs.splice(0..0, judged);
    let log = context.mask.apply(&judgement.output);
    Ok(GateResult { evidence: Evidence { started_at, duration_ms, ..evidence(G::TOOL, judgement) }, log })
}

/// The evidence document of a judgement that took no time and belongs to no step.
pub(crate) fn evidence(tool: &str, mut judgement: Judgement) -> Evidence {
    let findings_total = judgement.findings.len();
    judgement
        .findings
        .sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column))));
    judgement.findings.truncate(Evidence::FINDINGS);
    Evidence {
        schema: Evidence::SCHEMA.to_owned(),
        gate: tool.to_owned(),
        verdict: judgement.verdict,
        summary: judgement.summary,
        tool: judgement.tool,
        command: judgement.command,
        exit_code: judgement.exit_code,
        started_at: Utc::now(),
        duration_ms: 0,
        findings: judgement.findings,
        findings_total,
        tests: judgement.tests,
        coverage: judgement.coverage,
        inputs: judgement.inputs,
        log: None,
        run_id: None,
        step_id: None,
        attempt: 1,
        isolation: None,
    }
}

/// The document as it is saved.
pub(crate) fn document(evidence: &Evidence, mask: &Mask) -> Result<Vec<u8>, Failure> {
    let text = serde_json::to_string(evidence).map_err(|error| Failure::permanent(format!("the evidence is not valid JSON: {error}")))?;
    Ok(mask.apply(&text).into_bytes())
}

/// The exact content of the workspace: the commit it was checked out from, and its tree now.
async fn checked_out(context: &GateContext<'_>) -> Result<Vec<Input>, Failure> {
    let git = context.git(&context.workspace);
    if !git.is_repository().await? {
        return Ok(vec![]);
    }
    let mut inputs = vec![];
    if let Some(commit) = git.head().await? {
        inputs.push(Input { name: "commit".to_owned(), digest: format!("gitCommit:{commit}") });
    }
    let tree = match context.begun.and_then(Begun::tree) {
        Some(tree) => tree.to_owned(),
        None => git.tree().await?,
    };
    inputs.push(Input { name: "workspace".to_owned(), digest: format!("gitTree:{tree}") });
    if let Some(snapshot) = context.begun.and_then(Begun::snapshot) {
        inputs.push(Input { name: "snapshot".to_owned(), digest: format!("sha256:{snapshot}") });
    }
    Ok(inputs)
}
