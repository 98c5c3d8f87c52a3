//! Gates that a tool decides. Each runs a tool, reads its findings and returns a judgement; `run_gate` saves it as the evidence document
//! and in the gate's row. A gate that cannot judge does not pass.

mod audit;
mod command;
mod coverage;
mod e2e_smoke;
mod lint;
mod readers;
mod sast;
mod secrets;
mod typecheck;
mod unit;

use std::future::Future;
use std::path::{Path, PathBuf};

use chrono::Utc;
use nofx_shared::artifacts;
use nofx_shared::crypto;
use nofx_shared::db;
use nofx_shared::engine::{Failure, Outcome};
use nofx_shared::gates::{Coverage, Evidence, Finding, Input, TestCount, Tool, Verdict, record_gate};
use nofx_shared::storage::Content;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::drivers::ProcessResult;
use crate::sbom::{self, Bom};
use crate::step::StepContext;
use crate::workspace::Git;
pub(crate) use audit::Audit;
pub(crate) use coverage::CoverageGate;
pub(crate) use e2e_smoke::E2eSmoke;
pub(crate) use lint::Lint;
pub(crate) use sast::Sast;
pub(crate) use secrets::Secrets;
pub(crate) use typecheck::Typecheck;
pub(crate) use unit::Unit;

/// A gate. Its doc comment and those of its inputs are its page in docs/tools.md.
pub(crate) trait Gate: JsonSchema + Send + Sync + 'static {
    /// `gate:<name>`
    const TOOL: &'static str;
    const TIMEOUT_S: u64 = 600;
    type Inputs: DeserializeOwned + JsonSchema + Send;

    /// Judges the workspace. An error is a failure of the step, not of the work: a gate that cannot judge returns `inconclusive`.
    fn judge(context: &GateContext<'_>, inputs: Self::Inputs) -> impl Future<Output = Result<Judgement, Failure>> + Send;
}

/// The step and the workspace that a gate judges.
pub(crate) struct GateContext<'a> {
    pub step: &'a StepContext,
    pub workspace: PathBuf,
}

/// A gate's verdict and what it is based on.
pub(crate) struct Judgement {
    pub verdict: Verdict,
    pub summary: String,
    pub tool: Tool,
    pub command: Option<String>,
    pub exit_code: Option<i32>,
    pub findings: Vec<Finding>,
    pub tests: Option<TestCount>,
    pub coverage: Option<Coverage>,
    /// Files that were read, by digest.
    pub inputs: Vec<Input>,
    pub output: String,
}

impl Judgement {
    pub(crate) fn of(verdict: Verdict, summary: impl Into<String>) -> Self {
        Self {
            verdict,
            summary: summary.into(),
            tool: Tool::default(),
            command: None,
            exit_code: None,
            findings: vec![],
            tests: None,
            coverage: None,
            inputs: vec![],
            output: String::new(),
        }
    }

    /// `summary` says why there is no verdict.
    pub(crate) fn inconclusive(summary: impl Into<String>) -> Self {
        Self::of(Verdict::Inconclusive, summary)
    }
}

impl GateContext<'_> {
    pub(crate) fn git<'a>(&'a self, dir: &'a Path) -> Git<'a> {
        Git::new(&self.step.services.processes, dir, self.step.stop.clone())
    }

    /// Runs a program in a folder of the workspace with the step's environment.
    pub(crate) async fn run(&self, argv: Vec<String>, dir: &Path) -> Result<ProcessResult, Failure> {
        let step = self.step;
        let result = step.run(argv, dir, step.env.clone()).await?;
        if step.stop.is_cancelled() { Err(Failure::transient("the step was stopped")) } else { Ok(result) }
    }
}

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
    let (path, _) = step.save_with(&name, "application/json", Content::Bytes(text.into()), &digest, vec![statement]).await?;
    if context.git(&context.workspace).is_repository() {
        let bom = Bom::of_workspace(&context.workspace).document(step.step.run_id, step.step.id);
        step.save_artifact(sbom::NAME, sbom::MEDIA_TYPE, bom.to_string().into_bytes()).await?;
    }
    let passed = evidence.verdict.is_open();
    let record = || record_gate(&step.services.db, &step.step, passed, &path);
    step.retry_until_stopped(record, db::Error::is_permanent)
        .await
        .map_err(|error| Failure::transient(format!("could not record the verdict: {error}")))?
        .ok_or_else(|| Failure::transient("the lease expired"))?;

    let outputs = json!({
        "passed": passed, "verdict": evidence.verdict, "summary": evidence.summary, "findings": evidence.findings_total,
        "tests": evidence.tests, "evidence": path,
    });
    if passed {
        return Ok(Outcome::Done { outputs });
    }
    let first: Vec<&Finding> = evidence.findings.iter().take(5).collect();
    let details = json!({"verdict": evidence.verdict, "evidence": path, "exit_code": evidence.exit_code, "findings": first});
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
