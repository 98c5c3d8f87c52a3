//! The gate: the files of the workspace and the verdict.

use std::collections::BTreeMap;
use std::path::Path;

use nofx_shared::engine::Failure;
use nofx_shared::gates::{Severity, Tool, Verdict};
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

    fn fits(_: &Path) -> bool {
        true
    }

    async fn judge(context: &GateContext<'_>, inputs: Inputs) -> Result<Judgement, Failure> {
        let git = context.git(&context.workspace);
        let listed = if git.is_repository() { Some(git.files(&git.tree().await?).await?) } else { None };
        let (workspace, stop) = (context.workspace.clone(), context.stop().clone());
        let scan = tokio::task::spawn_blocking(move || {
            let is_stopped = || stop.is_cancelled();
            let files = listed.unwrap_or_else(|| files(&workspace, &is_stopped));
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
        Ok(Judgement { findings, tool, ..Judgement::of(verdict, summary) })
    }
}

/// Files below a folder that is no repository; not all of them when the scan is stopped.
fn files(root: &Path, is_stopped: &dyn Fn() -> bool) -> Vec<String> {
    let (mut files, mut open) = (vec![], vec![root.to_owned()]);
    while let Some(dir) = open.pop() {
        if is_stopped() {
            break;
        }
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
            if kind.is_dir() && !matches!(entry.file_name().to_str(), Some(".git" | "node_modules" | "target")) {
                open.push(path);
            } else if kind.is_file() {
                files.extend(path.strip_prefix(root).ok().map(|path| path.to_string_lossy().into_owned()));
            }
        }
    }
    files
}
