//! From a gate and a workspace to the evidence document, wherever the gate runs. Where the document is saved is decided by whoever asked:
//! see `run_gate` and `working_tree`.

use chrono::Utc;
use nofx_shared::engine::Failure;
use nofx_shared::gates::{Evidence, Input};

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
    // Before the gate's programs run for nothing, and before they change what was there when they began.
    let judged = checked_out(context).await?;
    let mut judgement = G::judge(context, inputs).await?;
    judgement.asked.env.extend(context.plan_env());
    judgement.asked.image = context.plan_image();
    judgement.asked.tests = judgement.tests.map(|tests| tests.passed + tests.failed);
    let duration_ms = (Utc::now() - started_at).num_milliseconds();
    judgement.inputs.splice(0..0, judged);
    let log = context.mask.apply(&judgement.output);
    // Here, so that the document, the verdict's row, the statement and the step's outputs have the same.
    let evidence = evidence(G::TOOL, judgement).masked(context.mask);
    Ok(GateResult { evidence: Evidence { started_at, duration_ms, ..evidence }, log })
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
        asked: judgement.asked,
        policies: vec![],
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
pub(crate) fn document(evidence: &Evidence) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(evidence).map_err(|error| Failure::permanent(format!("the evidence is not valid JSON: {error}")))
}

/// The exact content of the workspace: the commit that is checked out and that commit's tree, and the workspace's tree now.
async fn checked_out(context: &GateContext<'_>) -> Result<Vec<Input>, Failure> {
    let git = context.git(&context.workspace);
    git.check().await?;
    if !git.is_repository().await? {
        return Ok(vec![]);
    }
    let mut inputs = vec![];
    if let Some(commit) = git.head().await? {
        let tree = git.run(&["rev-parse", "--verify", "--end-of-options", &format!("{commit}^{{tree}}")]).await?;
        inputs.push(Input { name: "commit".to_owned(), digest: format!("gitCommit:{commit}") });
        inputs.push(Input { name: "commit tree".to_owned(), digest: format!("gitTree:{}", tree.trim()) });
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use nofx_shared::gates::{Evidence, Verdict};
    use nofx_shared::secrets::Mask;
    use serde_json::json;
    use tokio_util::sync::CancellationToken;

    use super::super::context::{GateContext, Runner};
    use super::super::lint::Lint;
    use super::{document, judge};
    use crate::drivers::Processes;
    use crate::workspace::Folder;

    #[tokio::test]
    async fn no_secret_is_in_the_evidence_and_it_can_be_read() {
        let dir = tempfile::tempdir().expect("a folder");
        let (processes, stop, env) = (Processes::own(), CancellationToken::new(), BTreeMap::new());
        let mask = Mask::new(["hunter2-hunter3-hunter4".to_owned(), "1234".to_owned()]);
        let workspace = Folder::new(&processes, dir.path().to_owned()).expect("it is there");
        let runner = Runner::OnTheSpot { processes: &processes, stop: &stop };
        let context = GateContext { workspace, env: &env, mask: &mask, advisory_db: None, runner, begun: None };
        // The secret is where the finding is cut.
        let command = "printf 'a.py:1234:1: error: '; head -c 1990 /dev/zero | tr '\\0' o; echo hunter2-hunter3-hunter4 and more";
        let inputs = serde_json::from_value(json!({"command": command})).expect("inputs");
        let result = judge::<Lint>(&context, inputs).await.expect("judged");
        let text = document(&result.evidence).expect("JSON");
        let read: Evidence = serde_json::from_slice(&text).expect("evidence");
        assert_eq!((read.verdict, read.findings[0].line), (Verdict::Fail, Some(1234)));
        assert!(read.findings[0].message.ends_with("ooo*** and mo"), "{}", read.findings[0].message);
        assert!(!String::from_utf8_lossy(&text).contains("hunter") && !result.log.contains("hunter"));
        assert_eq!(read.asked.command.as_deref().map(|text| text.contains("***")), Some(true));
    }
}
