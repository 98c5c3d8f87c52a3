//! Runs a gate: judges the workspace, saves the log and the evidence document, records the verdict in the gate's row.

use chrono::Utc;
use nofx_shared::artifacts;
use nofx_shared::crypto;
use nofx_shared::db;
use nofx_shared::engine::{Failure, Outcome};
use nofx_shared::gates::{Evidence, Finding, Input, record_gate};
use nofx_shared::storage::Content;
use serde_json::json;

use super::context::GateContext;
use super::gate::Gate;
use crate::sbom::{self, Bom};
use crate::step::StepContext;

/// Judges the workspace and saves the evidence; a gate that does not pass fails the step permanently.
pub(crate) async fn run_gate<G: Gate>(step: &StepContext, inputs: G::Inputs) -> Result<Outcome, Failure> {
    let name = G::TOOL.trim_start_matches("gate:");
    let context = GateContext { step, workspace: step.workspace().await? };
    let started_at = Utc::now();
    let mut judgement = G::judge(&context, inputs).await?;
    let duration_ms = (Utc::now() - started_at).num_milliseconds();
    judgement.inputs.splice(0..0, checked_out(&context).await?);

    let log = if judgement.output.is_empty() {
        None
    } else {
        let output = step.mask.apply(&judgement.output).into_bytes();
        Some(step.save_artifact(&format!("log-{}.txt", step.step.attempt), "text/plain; charset=utf-8", output).await?)
    };
    let findings_total = judgement.findings.len();
    judgement
        .findings
        .sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column))));
    judgement.findings.truncate(Evidence::FINDINGS);
    let evidence = Evidence {
        schema: Evidence::SCHEMA.to_owned(),
        gate: G::TOOL.to_owned(),
        verdict: judgement.verdict,
        summary: judgement.summary,
        tool: judgement.tool,
        command: judgement.command,
        exit_code: judgement.exit_code,
        started_at,
        duration_ms,
        findings: judgement.findings,
        findings_total,
        tests: judgement.tests,
        coverage: judgement.coverage,
        inputs: judgement.inputs,
        log,
        run_id: step.step.run_id,
        step_id: step.step.id,
        attempt: step.step.attempt,
    };
    let text = serde_json::to_string(&evidence).map_err(|error| Failure::permanent(format!("the evidence is not valid JSON: {error}")))?;
    let text = step.mask.apply(&text).into_bytes();
    let digest = crypto::digest(&text);
    let statement = artifacts::test_result(&evidence, &digest);
    let name = format!("gate-{name}.json");
    let (evidence_uri, _) = step.save_with(&name, "application/json", Content::Bytes(text.into()), &digest, vec![statement]).await?;
    let mut sbom_faults = vec![];
    if context.git(&context.workspace).is_repository() {
        let bom = Bom::of_workspace(context.workspace.clone()).await?;
        sbom_faults = bom.faults();
        let bom = bom.document(step.step.run_id, step.step.id);
        step.save_artifact(sbom::NAME, sbom::MEDIA_TYPE, bom.to_string().into_bytes()).await?;
    }
    let passed = evidence.verdict.is_open();
    let record = || record_gate(&step.services.db, &step.step, passed, &evidence_uri);
    step.retry_until_stopped(record, db::Error::is_permanent)
        .await
        .map_err(|error| Failure::transient(format!("could not record the verdict: {error}")))?
        .ok_or_else(Failure::lease_expired)?;

    let outputs = json!({
        "passed": passed, "verdict": evidence.verdict, "summary": evidence.summary, "findings": evidence.findings_total,
        "tests": evidence.tests, "evidence_uri": evidence_uri, "sbom_faults": sbom_faults,
    });
    if passed {
        return Ok(Outcome::Done { outputs });
    }
    let first: Vec<&Finding> = evidence.findings.iter().take(5).collect();
    let details = json!({"verdict": evidence.verdict, "evidence_uri": evidence_uri, "exit_code": evidence.exit_code, "findings": first});
    Err(Failure::permanent(format!("{}: {}", G::TOOL, evidence.summary)).with_details(details))
}

/// The exact content of the workspace: the commit it was checked out from, and its tree now.
async fn checked_out(context: &GateContext<'_>) -> Result<Vec<Input>, Failure> {
    let git = context.git(&context.workspace);
    if !git.is_repository() {
        return Ok(vec![]);
    }
    let mut inputs = vec![];
    if let Some(commit) = git.head().await? {
        inputs.push(Input { name: "commit".to_owned(), digest: format!("gitCommit:{commit}") });
    }
    inputs.push(Input { name: "workspace".to_owned(), digest: format!("gitTree:{}", git.tree().await?) });
    Ok(inputs)
}
