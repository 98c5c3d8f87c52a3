//! Checks of the work that a run does. Each runs a tool, reads what it found and comes to a verdict; `decide` turns that into the
//! evidence document and the gate's row. A gate that cannot judge is not open.

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

use crate::consume::StepContext;
use crate::drivers::Ended;
use crate::sbom::{self, Bom};
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

    /// Judges the workspace. An error means that the step is to be tried again; what cannot be judged is a finding.
    fn judge(bench: &Bench<'_>, inputs: Self::Inputs) -> impl Future<Output = Result<Judged, Failure>> + Send;
}

/// What a gate works with.
pub(crate) struct Bench<'a> {
    pub step: &'a StepContext,
    pub workspace: PathBuf,
}

/// What a gate came to.
pub(crate) struct Judged {
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
    /// What the tool printed.
    pub printed: String,
}

impl Judged {
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
            printed: String::new(),
        }
    }

    /// It cannot be judged, and says why.
    pub(crate) fn inconclusive(summary: impl Into<String>) -> Self {
        Self::of(Verdict::Inconclusive, summary)
    }
}

impl Bench<'_> {
    pub(crate) fn git<'a>(&'a self, dir: &'a Path) -> Git<'a> {
        Git::new(&self.step.tools.processes, dir, self.step.stop.clone())
    }

    /// Runs a program in a folder of the workspace with the step's environment.
    pub(crate) async fn run(&self, argv: Vec<String>, dir: &Path) -> Result<Ended, Failure> {
        let step = self.step;
        let ended = step.run(argv, dir, step.env.clone()).await?;
        if step.stop.is_cancelled() { Err(Failure::transient("the step was stopped")) } else { Ok(ended) }
    }
}

/// Judges and leaves the evidence; a gate that is not open fails the step for good.
pub(crate) async fn decide<G: Gate>(step: &StepContext, inputs: G::Inputs) -> Result<Outcome, Failure> {
    let name = G::TOOL.trim_start_matches("gate:");
    let bench = Bench { step, workspace: step.workspace().await? };
    let began = Utc::now();
    let mut judged = G::judge(&bench, inputs).await?;
    let duration_ms = (Utc::now() - began).num_milliseconds();
    judged.inputs.splice(0..0, checked_out(&bench).await?);

    let log = if judged.printed.is_empty() {
        None
    } else {
        let printed = step.mask.apply(&judged.printed).into_bytes();
        Some(step.keep(&format!("log-{}.txt", step.step.attempt), "text/plain; charset=utf-8", printed).await?)
    };
    let findings_total = judged.findings.len();
    judged.findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column))));
    judged.findings.truncate(Evidence::FINDINGS);
    let evidence = Evidence {
        schema: Evidence::SCHEMA.to_owned(),
        gate: G::TOOL.to_owned(),
        verdict: judged.verdict,
        summary: judged.summary,
        tool: judged.tool,
        command: judged.command,
        exit_code: judged.exit_code,
        started_at: began,
        duration_ms,
        findings: judged.findings,
        findings_total,
        tests: judged.tests,
        coverage: judged.coverage,
        inputs: judged.inputs,
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
    let (path, _) = step.keep_with(&name, "application/json", Content::Bytes(text.into()), &digest, vec![statement]).await?;
    if bench.git(&bench.workspace).is_repository() {
        let bom = Bom::of_workspace(&bench.workspace).document(step.step.run_id, step.step.id);
        step.keep(sbom::NAME, sbom::MEDIA_TYPE, bom.to_string().into_bytes()).await?;
    }
    let is_open = evidence.verdict.is_open();
    let record = || record_gate(&step.tools.db, &step.step, is_open, &path);
    step.insist(record, db::Error::is_permanent)
        .await
        .map_err(|error| Failure::transient(format!("could not record the verdict: {error}")))?
        .ok_or_else(|| Failure::transient("the lease expired"))?;

    let outputs = json!({
        "passed": is_open, "verdict": evidence.verdict, "summary": evidence.summary, "findings": evidence.findings_total,
        "tests": evidence.tests, "evidence": path,
    });
    if is_open {
        return Ok(Outcome::Done { outputs });
    }
    let first: Vec<&Finding> = evidence.findings.iter().take(5).collect();
    let details = json!({"verdict": evidence.verdict, "evidence": path, "exit_code": evidence.exit_code, "findings": first});
    Err(Failure::permanent(format!("{}: {}", G::TOOL, evidence.summary)).with_details(details))
}

/// What the workspace holds, exactly: the commit it came from and the tree it is now.
async fn checked_out(bench: &Bench<'_>) -> Result<Vec<Input>, Failure> {
    let git = bench.git(&bench.workspace);
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
