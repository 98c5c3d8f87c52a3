//! `nofx gate`: judges a working tree here and now, without a stack. The gates themselves are the worker's.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use nofx_shared::gates::Verdict;
use nofx_shared::plan::{self, Plan};
use nofx_worker::{GateOptions, GateVerdict, judge_working_tree, printable};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::exit::{Error, Exit, Outcome};
use crate::output;
use crate::target::Target;

#[derive(Subcommand)]
pub(crate) enum Gate {
    /// Judge this working tree, uncommitted files too. Exit code: 0 passed, 1 failed, 2 inconclusive or refused, 3 interrupted.
    Run(GateRun),
}

#[derive(clap::Args)]
pub(crate) struct GateRun {
    /// Gates (`lint`, `gate:lint`) or steps of the plan. Default: the gates of the plan, or without one those that fit the files.
    pub names: Vec<String>,
    /// Branch, tag or commit that `gate:coverage` compares changed lines with.
    #[arg(long)]
    pub base: Option<String>,
    /// Also run `gate:e2e_smoke`, which starts the product; its command is in the plan.
    #[arg(long)]
    pub risky: bool,
    /// Secrets that the plan's steps may have: `NOFX_SECRET_<NAME>` of this shell. Others are not given, whatever the plan names.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub secrets: Vec<String>,
    /// The plan with the repository's gates: .json, .yaml or .yml. Default: `gates.json` of the repository, if it exists.
    #[arg(long)]
    pub plan: Option<PathBuf>,
    /// The folder to judge. Default: the repository around this folder.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// The folder for evidence and logs. Default: `.nofx/gates` of the repository.
    #[arg(long)]
    pub out: Option<PathBuf>,
}

/// The largest plan, as the API has it.
const PLAN_BYTES: u64 = 1 << 20;

pub(crate) async fn run(target: &Target, Gate::Run(options): Gate) -> Outcome {
    let dir = match options.dir {
        Some(dir) => dir,
        None => repository(&std::env::current_dir().map_err(Error::new)?),
    };
    let dir = dir.canonicalize().map_err(|error| Error::new(format!("{}: {error}", dir.display())))?;
    let default_plan = dir.join("gates.json");
    let plan = options.plan.or_else(|| {
        let plan = default_plan.exists().then_some(default_plan);
        target.name_default(&plan.as_ref().map_or_else(|| "the gates that fit the files".to_owned(), |plan| plan.display().to_string()));
        plan
    });
    let options = GateOptions {
        plan: plan.as_deref().map(read_plan).transpose()?,
        names: options.names,
        base: options.base,
        risky: options.risky,
        secrets: options.secrets,
        out: options.out,
        dir,
    };
    let stop = CancellationToken::new();
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt()).map_err(Error::new)?, signal(SignalKind::terminate()).map_err(Error::new)?);
    let stopped = async {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        stop.cancel();
        std::future::pending().await
    };
    let as_lines = !target.json;
    let judging = judge_working_tree(&options, &stop, |verdict| {
        if as_lines {
            print(verdict);
        }
    });
    let verdicts = tokio::select! { verdicts = judging => verdicts.map_err(Error::new)?, never = stopped => never };
    if target.json {
        let rows: Vec<Value> = verdicts.iter().map(row).collect();
        output::document(&serde_json::to_string_pretty(&rows).map_err(Error::new)?);
    }
    Ok(if stop.is_cancelled() { Exit::Cancelled } else { exit(&verdicts) })
}

/// A failure is certain whatever else is inconclusive.
fn exit(verdicts: &[GateVerdict]) -> Exit {
    if verdicts.iter().any(|one| one.evidence.verdict == Verdict::Fail) {
        Exit::Failed
    } else if verdicts.iter().all(|one| one.evidence.verdict.is_open()) {
        Exit::Succeeded
    } else {
        Exit::Refused
    }
}

/// The folder with `.git` around this one; this one if there is none.
fn repository(dir: &Path) -> PathBuf {
    dir.ancestors().find(|one| one.join(".git").exists()).unwrap_or(dir).to_owned()
}

fn read_plan(path: &Path) -> Result<Plan, Error> {
    let failed = |why: &dyn std::fmt::Display| Error::new(format!("{}: {why}", path.display()));
    let meta = std::fs::metadata(path).map_err(|error| failed(&error))?;
    if !meta.is_file() || meta.len() > PLAN_BYTES {
        return Err(failed(&format!("not a file of at most {PLAN_BYTES} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    let is_yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    let plan = if is_yaml { plan::from_yaml(&text) } else { Ok(serde_json::from_str(&text).map_err(|error| failed(&error))?) };
    plan.and_then(|plan| plan::from_json(&plan)).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.detail)).collect();
        failed(&faults.join("; "))
    })
}

fn name_of(verdict: Verdict) -> String {
    serde_json::to_value(verdict).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

fn print(verdict: &GateVerdict) {
    output::line(format_args!("{}", line_of(verdict)));
}

/// One line, whatever a tool printed: what the tree's tools print must neither steer the terminal nor look like another verdict.
fn line_of(GateVerdict { name, evidence, file }: &GateVerdict) -> String {
    let text = printable(&format!("{:<14} {name:<16} {}  {}", name_of(evidence.verdict), evidence.summary, file.display()));
    // What steers a terminal is not shown here, since many tools colour what they print.
    text.replace(['\n', '\t'], " ")
}

fn row(verdict: &GateVerdict) -> Value {
    let GateVerdict { name, evidence, file } = verdict;
    json!({"name": name, "gate": evidence.gate, "verdict": evidence.verdict, "summary": evidence.summary, "evidence": file})
}

#[cfg(test)]
mod tests {
    use nofx_worker::GateVerdict;
    use serde_json::json;

    use super::line_of;

    #[test]
    fn a_verdict_is_one_line_without_control_characters() {
        let summary = "1 error: \u{1b}[2J\u{1b}]0;title\u{7}bad\r\npass           secrets\tx\u{9b}1A";
        let evidence = json!({
            "schema": "nofx.gate.evidence/v1", "gate": "gate:lint", "verdict": "fail", "summary": summary, "tool": {"name": "x"},
            "started_at": "2026-01-01T00:00:00Z", "duration_ms": 1, "findings": [], "findings_total": 0, "inputs": [], "attempt": 1,
        });
        let evidence = serde_json::from_value(evidence).expect("evidence");
        let line = line_of(&GateVerdict { name: "lint".to_owned(), evidence, file: "/tmp/a\u{1b}[8m\n/gate-lint.json".into() });
        assert_eq!(line, "fail           lint             1 error: bad pass           secrets x1A  /tmp/a /gate-lint.json");
    }
}
