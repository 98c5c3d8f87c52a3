//! The gate: its inputs, one run of each tool, and the verdict.

use std::collections::BTreeMap;

use nofx_shared::engine::Failure;
use nofx_shared::gates::{Asked, Severity, Tool, Verdict};
use schemars::JsonSchema;
use serde::Deserialize;

use super::auditor::LOCK_FILES;
use super::run::audit;
use crate::gates::command::folder_name;
use crate::gates::context::GateContext;
use crate::gates::gate::Gate;
use crate::gates::judgement::Judgement;
use nofx_sandbox::Files;

/// Checks with the ecosystem's own tool (`cargo-audit`, `npm audit`, `pnpm audit`, `yarn audit` or `yarn npm audit`, `pip-audit`, also for
/// poetry, `uv audit`, `govulncheck`) whether a dependency has a known vulnerability. Each lock file in the folder is audited, without the
/// repository's own settings of these tools. When a tool is missing, cannot reach its data or says nothing that can be read, the gate
/// does not pass.
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

    fn fits(workspace: &Files) -> bool {
        // What cannot be read is for the gate to say.
        LOCK_FILES.iter().any(|(file, _)| !matches!(workspace.open(file), Ok(None)))
    }

    async fn judge(context: &GateContext<'_>, inputs: Inputs) -> Result<Judgement, Failure> {
        if let Some((id, _)) = inputs.accept.iter().find(|(_, reason)| reason.trim().is_empty()) {
            return Err(Failure::permanent(format!("inputs of {}: `accept` gives no reason for {id}", Self::TOOL)));
        }
        let folder = context.folder(inputs.cwd.as_deref()).await?;
        let threshold = inputs.fail_on.unwrap_or(Severity::Warning);
        let mut judgement = Judgement::of(Verdict::Pass, "");
        // It chooses the auditors itself.
        judgement.asked = Asked {
            is_known: true,
            cwd: folder_name(inputs.cwd.as_deref()),
            fail_on: Some(threshold),
            accept: inputs.accept.keys().cloned().collect(),
            ..Asked::default()
        };
        let (mut tools, mut commands, mut faults, mut lock_files) = (vec![], vec![], vec![], 0);
        for lock in LOCK_FILES {
            let Some(audited) = audit(context, *lock, &folder, &mut judgement).await? else { continue };
            lock_files += 1;
            if let Some((auditor, tool)) = audited.by {
                commands.push(auditor.command);
                tools.push(tool);
            }
            match audited.found {
                Ok(advisories) => {
                    let counted = advisories.into_iter().filter(|one| !one.ids.iter().any(|id| inputs.accept.contains_key(id)));
                    judgement.findings.extend(counted.map(|one| one.finding(lock.0)));
                }
                Err(why) => faults.push(why),
            }
        }
        if lock_files == 0 {
            let files: Vec<&str> = LOCK_FILES.iter().map(|(file, _)| *file).collect();
            return Ok(Judgement::inconclusive(format!("no lock file to audit (none of {})", files.join(", "))));
        }
        let failing = judgement.findings.iter().filter(|finding| finding.severity >= threshold).count();
        (judgement.verdict, judgement.summary) = match (failing, faults.is_empty()) {
            (0, true) => (Verdict::Pass, "no dependency has a known vulnerability that fails the gate".to_owned()),
            (0, false) => (Verdict::Inconclusive, faults.join("; ")),
            _ => (Verdict::Fail, format!("{failing} dependencies have known vulnerabilities")),
        };
        let names = tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>().join(", ");
        let versions: Vec<&str> = tools.iter().filter_map(|tool| tool.version.as_deref()).collect();
        judgement.tool = Tool { name: names, version: (!versions.is_empty()).then(|| versions.join(", ")) };
        judgement.command = (!commands.is_empty()).then(|| commands.join("; "));
        judgement.asked.command.clone_from(&judgement.command);
        Ok(judgement)
    }
}
