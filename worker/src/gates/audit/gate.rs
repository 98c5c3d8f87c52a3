//! The gate: its inputs, one run of each tool, and the verdict.

use std::collections::BTreeMap;
use std::path::Path;

use nofx_shared::engine::Failure;
use nofx_shared::gates::{Severity, Tool, Verdict};
use schemars::JsonSchema;
use serde::Deserialize;

use super::auditor::{AUDITORS, Lock, auditors};
use super::run::audit;
use crate::gates::context::GateContext;
use crate::gates::gate::Gate;
use crate::gates::judgement::Judgement;
use crate::workspace::{Beneath, folder_below};

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

    fn fits(workspace: &Path) -> bool {
        // What cannot be read is for the gate to say.
        Beneath::open(workspace).is_ok_and(|folder| auditors(&folder).map_or(true, |found| !found.is_empty()))
    }

    async fn judge(context: &GateContext<'_>, inputs: Inputs) -> Result<Judgement, Failure> {
        if let Some((id, _)) = inputs.accept.iter().find(|(_, reason)| reason.trim().is_empty()) {
            return Err(Failure::permanent(format!("inputs of {}: `accept` gives no reason for {id}", Self::TOOL)));
        }
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
        for (auditor, text) in &found {
            let lock = Lock { file: auditor.file, text, folder: &folder };
            let (tool, audited) = audit(context, auditor, &lock, &dir, &mut judgement).await?;
            tools.push(tool);
            match audited {
                Ok(advisories) => {
                    let counted = advisories.into_iter().filter(|one| !one.ids.iter().any(|id| inputs.accept.contains_key(id)));
                    judgement.findings.extend(counted.map(|one| one.finding(auditor.file)));
                }
                Err(why) => faults.push(why),
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
