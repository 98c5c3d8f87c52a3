//! The gate: the files of the workspace and the verdict.

use std::collections::BTreeMap;
use std::path::Path;

use nofx_shared::engine::Failure;
use nofx_shared::gates::{Severity, Tool, Verdict};
use schemars::JsonSchema;
use serde::Deserialize;

use super::scan;
use crate::gates::context::GateContext;
use crate::gates::gate::Gate;
use crate::gates::judgement::Judgement;

/// Looks for secrets in all files of the workspace: keys of AWS, GitHub, Slack, Google, Stripe, model providers and npm, private
/// keys, JWTs, passwords in URLs, and random-looking values that are assigned to a name like `token` or `password`. Hashes, ids and lock
/// files are not secrets. A line that says `nofx:allow-secret` is skipped. Findings never contain the secret.
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
        let files = if git.is_repository() {
            let tree = git.tree().await?;
            git.files(&tree).await?
        } else {
            let mut files = vec![];
            walk(&context.workspace, &context.workspace, &mut files);
            files
        };
        let workspace = context.workspace.clone();
        let scan = tokio::task::spawn_blocking(move || scan::files(&workspace, files, &inputs.exclude));
        let (findings, scanned) = scan.await.map_err(|error| Failure::permanent(format!("the scan failed: {error}")))?;
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

/// Files below a folder that is no repository.
fn walk(root: &Path, dir: &Path, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
        if kind.is_dir() && !matches!(entry.file_name().to_str(), Some(".git" | "node_modules" | "target")) {
            walk(root, &path, files);
        } else if kind.is_file() {
            files.extend(path.strip_prefix(root).ok().map(|path| path.to_string_lossy().into_owned()));
        }
    }
}
