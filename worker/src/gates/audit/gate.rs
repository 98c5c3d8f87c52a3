//! The gate: its inputs, one run of each tool, and the verdict.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use nofx_shared::engine::Failure;
use nofx_shared::gates::{Severity, Tool, Verdict};
use schemars::JsonSchema;
use serde::Deserialize;

use super::auditor::{AUDITORS, Auditor, auditors};
use super::pip;
use super::report::{Advisory, Report};
use crate::drivers::{ProcessResult, script_argv};
use crate::gates::context::GateContext;
use crate::gates::gate::Gate;
use crate::gates::judgement::Judgement;
use crate::gates::program::tool_of;
use crate::workspace::{Beneath, folder_below};

/// Checks with the ecosystem's own tool (`cargo audit`, `npm audit`, `pnpm audit`, `yarn audit` or `yarn npm audit`, `pip-audit`, also for
/// poetry, `uv audit`, `govulncheck`) whether a dependency has a known vulnerability. Each lock file in the folder is audited. When a
/// tool is missing, cannot reach its data or says nothing that can be read, the gate does not pass.
#[derive(JsonSchema)]
pub(crate) struct Audit;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Inputs {
    /// Folder below the workspace.
    cwd: Option<String>,
    /// The minimum severity that fails the gate: `warning` (moderate; default), `error` (high) or `info` (low). What `govulncheck` finds is
    /// `error` when it is called, `warning` when it is only imported and `info` when it is only required.
    fail_on: Option<Severity>,
    /// Advisories that are accepted, by any of their names, with the reason: `{"RUSTSEC-2026-0001": "not reachable"}`.
    #[serde(default)]
    accept: BTreeMap<String, String>,
}

impl Gate for Audit {
    const TOOL: &'static str = "gate:audit";
    type Inputs = Inputs;

    fn fits(workspace: &Path) -> bool {
        // What cannot be read is for the gate to say.
        Beneath::open(workspace).is_ok_and(|folder| auditors(&folder).map_or(true, |found| !found.is_empty()))
    }

    async fn judge(context: &GateContext<'_>, inputs: Inputs) -> Result<Judgement, Failure> {
        let dir = folder_below(context.workspace.clone(), inputs.cwd.as_deref())?;
        let folder = Beneath::open(&dir).map_err(|error| Failure::permanent(format!("could not open {}: {error}", dir.display())))?;
        let found = match auditors(&folder) {
            Ok(found) if found.is_empty() => {
                let mut files = AUDITORS.iter().map(|auditor| auditor.file).collect::<Vec<_>>();
                files.dedup();
                return Ok(Judgement::inconclusive(format!("no lock file to audit (none of {})", files.join(", "))));
            }
            Ok(found) => found,
            Err(why) => return Ok(Judgement::inconclusive(why)),
        };
        let mut judgement = Judgement::of(Verdict::Pass, "");
        let (mut tools, mut faults) = (vec![], vec![]);
        for (auditor, lock) in &found {
            let audited = audit(context, auditor, lock, &dir, &mut judgement).await?;
            tools.push(tool_of(context, auditor.command, &dir).await?);
            match audited {
                Ok(advisories) => {
                    let counted = advisories.into_iter().filter(|one| !one.ids.iter().any(|id| inputs.accept.contains_key(id)));
                    judgement.findings.extend(counted.map(|one| one.finding(auditor.file)));
                }
                Err(why) => faults.push(format!("`{}` gave no usable report ({why})", auditor.command)),
            }
        }
        let threshold = inputs.fail_on.unwrap_or(Severity::Warning);
        let failing = judgement.findings.iter().filter(|finding| finding.severity >= threshold).count();
        (judgement.verdict, judgement.summary) = match (failing, faults.is_empty()) {
            (0, true) => (Verdict::Pass, "no dependency has a known vulnerability that fails the gate".to_owned()),
            (0, false) => (Verdict::Inconclusive, faults.join("; ")),
            _ => (Verdict::Fail, format!("{failing} dependencies have known vulnerabilities")),
        };
        let names = tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>().join(", ");
        let versions: Vec<&str> = tools.iter().filter_map(|tool| tool.version.as_deref()).collect();
        judgement.tool = Tool { name: names, version: (!versions.is_empty()).then(|| versions.join(", ")) };
        judgement.command = Some(found.iter().map(|(auditor, _)| auditor.command).collect::<Vec<_>>().join("; "));
        Ok(judgement)
    }
}

/// Audits one lock file; the inner error says why there is no usable report. Output and exit code are added to the judgement.
async fn audit(
    context: &GateContext<'_>,
    auditor: &Auditor,
    lock: &str,
    dir: &Path,
    judgement: &mut Judgement,
) -> Result<Result<Vec<Advisory>, String>, Failure> {
    let Some(requirements) = auditor.requirements else { return run(context, auditor, None, dir, judgement).await };
    let lists = match requirements(lock) {
        Ok(lists) => lists,
        Err(why) => return Ok(Err(format!("{}: {why}", auditor.file))),
    };
    let mut found = vec![];
    for list in lists {
        match run(context, auditor, Some(&list), dir, judgement).await? {
            Ok(advisories) => found.extend(advisories),
            Err(why) => return Ok(Err(why)),
        }
    }
    Ok(Ok(found))
}

async fn run(
    context: &GateContext<'_>,
    auditor: &Auditor,
    requirements: Option<&[String]>,
    dir: &Path,
    judgement: &mut Judgement,
) -> Result<Result<Vec<Advisory>, String>, Failure> {
    let mut argv = script_argv(auditor.command);
    let listed = requirements.map(write).transpose()?;
    if let Some(file) = &listed {
        argv.extend(["audit".to_owned(), file.path().to_string_lossy().into_owned()]);
    }
    let result = context.run(argv, dir).await?;
    let read = read(auditor, &result, requirements);
    judgement.output.push_str(&result.output);
    judgement.exit_code = result.exit_code;
    Ok(read.map_err(|why| format!("{why}: {}", context.end_of(&result.output, 300))))
}

fn read(auditor: &Auditor, result: &ProcessResult, requirements: Option<&[String]>) -> Result<Vec<Advisory>, String> {
    let exit_code = match result.exit_code {
        // bash exits with 127 when a program is missing, with 126 when it cannot be run.
        Some(126 | 127) => return Err("a required tool is missing".to_owned()),
        Some(code) => code,
        None => return Err("it was killed by a signal".to_owned()),
    };
    if result.dropped_bytes > 0 {
        return Err(format!("{} bytes of its output were dropped", result.dropped_bytes));
    }
    let report = Report { stdout: &result.stdout, exit_code };
    let found = (auditor.read)(&report)?;
    requirements.map_or(Ok(()), |requirements| pip::covers(&report, requirements))?;
    Ok(found)
}

/// A file that only this user can read, with one requirement a line.
fn write(lines: &[String]) -> Result<tempfile::NamedTempFile, Failure> {
    let create = || {
        let mut file = tempfile::Builder::new().prefix("nofx-requirements-").suffix(".txt").tempfile()?;
        lines.iter().try_for_each(|line| writeln!(file, "{line}"))?;
        file.flush()?;
        Ok(file)
    };
    create().map_err(|error: std::io::Error| Failure::transient(format!("could not write the packages to audit: {error}")))
}

#[cfg(test)]
mod tests {
    use super::super::auditor::AUDITORS;
    use super::read;
    use crate::drivers::ProcessResult;

    #[test]
    fn a_tool_that_did_not_end_well_has_no_report() {
        let npm = AUDITORS.iter().find(|auditor| auditor.command.starts_with("npm")).expect("npm");
        let of = |exit_code, dropped_bytes| {
            let stdout = r#"{"auditReportVersion": 2, "vulnerabilities": {}, "metadata": {"vulnerabilities": {}}}"#.to_owned();
            read(
                npm,
                &ProcessResult {
                    exit_code,
                    output: stdout.clone(),
                    stdout,
                    dropped_bytes,
                    stderr: String::new(),
                    written: None,
                    enforced: None,
                    usage: None,
                },
                None,
            )
            .map(|found| found.len())
        };
        assert_eq!(of(Some(0), 0), Ok(0));
        for (exit_code, dropped) in [(None, 0), (Some(127), 0), (Some(126), 0), (Some(0), 1), (Some(1), 0)] {
            assert!(of(exit_code, dropped).is_err(), "{exit_code:?} {dropped}");
        }
    }
}
