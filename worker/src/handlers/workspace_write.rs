use std::collections::BTreeMap;

use nofx_shared::engine::{Failure, Outcome};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::Handler;
use crate::step::StepContext;
use crate::workspace::{Trees, file_name};

/// Writes and removes files of the workspace, never outside it. The diff is the artifact `workspace.diff`. A retry writes the
/// same again.
#[derive(JsonSchema)]
pub(super) struct WorkspaceWrite;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Inputs {
    /// Content by path.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Paths of files to remove; missing files are no error.
    #[serde(default)]
    remove: Vec<String>,
}

impl Handler for WorkspaceWrite {
    const TOOL: &'static str = "workspace:write";
    const TIMEOUT_S: u64 = 120;
    type Inputs = Inputs;

    async fn run(step: &StepContext, inputs: Inputs) -> Result<Outcome, Failure> {
        if inputs.files.is_empty() && inputs.remove.is_empty() {
            return Err(Failure::permanent("set `files` or `remove`"));
        }
        let folder = step.workspace().await?;
        // All names are checked before the first file is written.
        inputs.files.keys().chain(&inputs.remove).try_for_each(|name| file_name(name).map(drop))?;
        let trees = Trees::new(step.caller(), &folder).await?;
        let before = trees.take().await?;
        for (name, text) in &inputs.files {
            folder.write(name, text.clone().into_bytes()).await?;
        }
        for name in &inputs.remove {
            folder.remove(name).await?;
        }
        let after = trees.take().await?;
        let diff = step.mask.apply(&trees.diff(&before, &after).await?);
        let path = step.save_artifact("workspace.diff", "text/x-diff; charset=utf-8", diff.into_bytes()).await?;
        let paths: Vec<&String> = inputs.files.keys().chain(&inputs.remove).collect();
        Ok(Outcome::Done { outputs: json!({"paths": paths, "changed": before != after, "diff_path": path}) })
    }
}
