//! Runs a gate as a step: judges the run's workspace, saves the log and the evidence document, records the verdict in the gate's row.

use nofx_shared::artifacts;
use nofx_shared::crypto;
use nofx_shared::db;
use nofx_shared::engine::{Failure, Outcome};
use nofx_shared::gates::{Finding, record_gate, requiring_policies};
use nofx_shared::storage::Content;
use serde_json::json;

use super::context::GateContext;
use super::gate::Gate;
use super::judge::{GateResult, document, judge};
use crate::sbom::Bom;
use crate::step::StepContext;

/// Judges the workspace and saves the evidence; a gate that does not pass fails the step permanently.
pub(crate) async fn run_gate<G: Gate>(step: &StepContext, inputs: G::Inputs) -> Result<Outcome, Failure> {
    let name = G::TOOL.trim_start_matches("gate:");
    let context = GateContext::of_step(step).await?;
    let GateResult { mut evidence, log } = judge::<G>(&context, inputs).await?;
    if !log.is_empty() {
        let name = format!("log-{}.txt", step.step.attempt);
        evidence.log = Some(step.save_artifact(&name, "text/plain; charset=utf-8", log.into_bytes()).await?);
    }
    (evidence.run_id, evidence.step_id, evidence.attempt) = (Some(step.step.run_id), Some(step.step.id), step.step.attempt);
    evidence.isolation = step.sandboxed().isolation;
    // Exceptions from what is asked by default are the tenant's: whoever reads the evidence sees whose.
    let policies = || requiring_policies(&step.services.db, step.step.tenant_id, G::TOOL);
    let read = step.retry_until_stopped(policies, db::Error::is_permanent).await;
    evidence.policies = read.map_err(|error| Failure::transient(format!("could not read the policies for {}: {error}", G::TOOL)))?;
    let evidence = evidence.masked(&step.mask);
    let text = document(&evidence)?;
    let digest = crypto::digest(&text);
    let statement = artifacts::test_result(&evidence, &digest);
    let name = format!("gate-{name}.json");
    let (evidence_uri, _) = step.save_with(&name, "application/json", Content::Bytes(text.into()), &digest, vec![statement]).await?;
    let mut sbom_faults = vec![];
    if context.git(&context.workspace).is_repository().await? {
        sbom_faults = Bom::default().save(step, &context.workspace).await?;
    }
    let passed = evidence.verdict.is_open();
    let begun = step.begun().await?;
    let record = || record_gate(&step.services.db, &step.step, &evidence, &evidence_uri, begun.tree(), begun.snapshot());
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
