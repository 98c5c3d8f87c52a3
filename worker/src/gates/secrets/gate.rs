//! The gate: the files of the workspace and the verdict.

use std::collections::BTreeMap;

use nofx_sandbox::{Files, Kind};
use nofx_shared::engine::Failure;
use nofx_shared::gates::{GateDemand, Severity, Tool, Verdict};
use schemars::JsonSchema;
use serde::Deserialize;

use super::files::scan_files;
use super::stopped::Stopped;
use crate::gates::context::GateContext;
use crate::gates::gate::Gate;
use crate::gates::judgement::Judgement;

/// Looks for secrets in all files of the workspace: keys of AWS, GitHub, Slack, Google, Stripe, model providers and npm, private
/// keys, JWTs, passwords in URLs, and random-looking values that are assigned to a name like `token` or `password`. Hashes, ids and lock
/// files are not secrets. A line that says `nofx:allow-secret` is skipped. Findings never contain the secret. A file of more than 32 MiB is
/// not scanned, nor what follows in a file after 10,000 findings, nor a file after 100,000 in all; each of these is a finding itself.
#[derive(JsonSchema)]
pub(crate) struct Secrets;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Inputs {
    /// Files that are not scanned, by the start of their paths: `fixtures/`.
    #[serde(default)]
    exclude: Vec<String>,
}

impl Gate for Secrets {
    const TOOL: &'static str = "gate:secrets";
    type Inputs = Inputs;

    fn fits(_: &Files) -> bool {
        true
    }

    async fn judge(context: &GateContext<'_>, inputs: Inputs) -> Result<Judgement, Failure> {
        let git = context.git(&context.workspace);
        let listed = if git.is_repository().await? { Some(git.files(&git.tree().await?).await?) } else { None };
        let asked = GateDemand { is_known: true, exclude: inputs.exclude.clone(), ..GateDemand::default() };
        let (workspace, stop) = (context.workspace.files().clone(), context.stop().clone());
        let scan = tokio::task::spawn_blocking(move || {
            let is_stopped = || stop.is_cancelled();
            let files = listed.map_or_else(|| files(&workspace, &is_stopped), Ok)?;
            scan_files(&workspace, files, &inputs.exclude, &is_stopped)
        });
        let scan = scan.await.map_err(|error| Failure::permanent(format!("the scan failed: {error}")))?;
        let (findings, scanned) = scan.map_err(|Stopped| Failure::interrupted())?;
        let secrets = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        let by_rule =
            findings.iter().filter_map(|finding| finding.rule.as_deref()).fold(BTreeMap::<&str, usize>::new(), |mut counts, rule| {
                *counts.entry(rule).or_default() += 1;
                counts
            });
        let summary = if secrets == 0 {
            format!("no secrets in {scanned} files")
        } else {
            let kinds = by_rule.iter().map(|(rule, n)| format!("{n} × {rule}")).collect::<Vec<_>>().join(", ");
            format!("{secrets} secrets in {scanned} files: {kinds}; remove and revoke them")
        };
        let verdict = if secrets == 0 { Verdict::Pass } else { Verdict::Fail };
        let tool = Tool { name: "nofx".to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) };
        Ok(Judgement { findings, tool, asked, ..Judgement::of(verdict, summary) })
    }
}

/// Files below a folder that is no repository.
fn files(root: &Files, is_stopped: &dyn Fn() -> bool) -> Result<Vec<String>, Stopped> {
    let (mut files, mut open) = (vec![], vec![String::new()]);
    while let Some(dir) = open.pop() {
        if is_stopped() {
            return Err(Stopped);
        }
        // What cannot be listed is scanned as a file, which says what is wrong with it.
        let Ok(Some(names)) = root.list(&dir) else {
            files.push(dir);
            continue;
        };
        for (name, kind) in names {
            let path = if dir.is_empty() { name.clone() } else { format!("{dir}/{name}") };
            match kind {
                Kind::Folder if !matches!(name.as_str(), ".git" | "node_modules" | "target") => open.push(path),
                Kind::File => files.push(path),
                Kind::Folder | Kind::Link | Kind::Other => {}
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use nofx_shared::engine::Failure;
    use nofx_shared::gates::Verdict;
    use nofx_shared::secrets::Mask;
    use tokio_util::sync::CancellationToken;

    use super::{Inputs, Secrets};
    use crate::drivers::Processes;
    use crate::gates::context::{GateContext, Runner};
    use crate::gates::gate::Gate;
    use crate::workspace::Folder;

    #[tokio::test]
    async fn the_scan_ends_with_its_step() {
        let (dir, env) = (tempfile::tempdir().expect("a folder"), BTreeMap::new());
        std::fs::write(dir.path().join("a"), "nothing\n").expect("written");
        let (processes, stop) = (Processes::own(), CancellationToken::new());
        let judge = async || {
            let workspace = Folder::new(&processes, dir.path().to_owned()).expect("it is there");
            let runner = Runner::OnTheSpot { processes: &processes, stop: &stop };
            let context = GateContext { workspace, env: &env, mask: &Mask::default(), advisory_db: None, runner, begun: None };
            Secrets::judge(&context, Inputs { exclude: vec![] }).await
        };
        assert_eq!(judge().await.map(|judgement| judgement.verdict).map_err(|failure| failure.message), Ok(Verdict::Pass));
        stop.cancel();
        let stopped = judge().await.map(|judgement| judgement.verdict).map_err(|failure| failure.message);
        assert_eq!(stopped, Err(Failure::interrupted().message));
    }
}
