use std::collections::BTreeMap;

use nofx_shared::engine::{Failure, Outcome};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::Handler;
use crate::step::StepContext;
use crate::workspace::{Snapshots, file_below};

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
        let dir = step.workspace().await?;
        // All paths are checked before the first file is written.
        let written =
            inputs.files.iter().map(|(name, text)| Ok((file_below(&dir, name)?, name, text))).collect::<Result<Vec<_>, Failure>>()?;
        let removed = inputs.remove.iter().map(|name| file_below(&dir, name)).collect::<Result<Vec<_>, Failure>>()?;
        let snapshots = Snapshots::new(&step.services.processes, &dir, step.stop.clone()).await?;
        let before = snapshots.take().await?;
        for (path, name, text) in written {
            let failed = |error: std::io::Error| Failure::permanent(format!("could not write `{name}`: {error}"));
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(failed)?;
            }
            std::fs::write(&path, text).map_err(failed)?;
        }
        for path in removed {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Failure::permanent(format!("could not remove `{}`: {error}", path.display())));
                }
                _ => {}
            }
        }
        let after = snapshots.take().await?;
        let diff = step.mask.apply(&snapshots.diff(&before, &after).await?);
        let path = step.save_artifact("workspace.diff", "text/x-diff; charset=utf-8", diff.into_bytes()).await?;
        let paths: Vec<&String> = inputs.files.keys().chain(&inputs.remove).collect();
        Ok(Outcome::Done { outputs: json!({"paths": paths, "changed": before != after, "diff_path": path}) })
    }
}
