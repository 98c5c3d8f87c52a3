use nofx_shared::engine::{Failure, Outcome};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::checkout::{checkout, git};
use super::judged::check_judged;
use crate::drivers::Scratch;
use crate::handlers::Handler;
use crate::step::StepContext;
use crate::workspace::{excludes, file_name};

/// Commits the changes in the run's checkout. The commit names the step that made it, and has the date on which that was planned, so that a
/// retry makes the same one; without changes, no commit is made.
#[derive(JsonSchema)]
pub(in crate::handlers) struct Commit;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::handlers) struct Inputs {
    message: String,
    /// Files to commit; default: all.
    #[serde(default)]
    paths: Vec<String>,
    /// Default: `NOFX`.
    author_name: Option<String>,
    /// Default: `nofx@localhost`.
    author_email: Option<String>,
}

impl Handler for Commit {
    const TOOL: &'static str = "git:commit";
    const TIMEOUT_S: u64 = 120;
    type Inputs = Inputs;

    async fn run(step: &StepContext, inputs: Inputs) -> Result<Outcome, Failure> {
        if inputs.message.trim().is_empty() {
            return Err(Failure::permanent("`message` is empty"));
        }
        let folder = checkout(step).await?;
        let mut git = git(step, &folder);
        for path in &inputs.paths {
            file_name(path)?;
        }
        // In files of the user's own: other users of the machine can read arguments.
        let scratch = step.services.processes.scratch(Some(folder.path())).await?;
        let paths = if inputs.paths.is_empty() { ".".to_owned() } else { inputs.paths.join("\0") };
        let paths = file(&scratch, "paths", paths).await?;
        git.run(&["-c", &excludes(&scratch).await?, "add", "--all", &format!("--pathspec-from-file={paths}"), "--pathspec-file-nul"])
            .await?;
        let staged = git.try_run(&["diff", "--cached", "--quiet"]).await?;
        match staged.exit_code {
            Some(0) => return Ok(Outcome::Done { outputs: json!({"changed": false, "commit": git.head().await?}) }),
            Some(1) => {}
            _ => return Err(Failure::transient(format!("the index could not be compared: {}", staged.output.trim()))),
        }
        let name = inputs.author_name.unwrap_or_else(|| "NOFX".to_owned());
        let email = inputs.author_email.unwrap_or_else(|| "nofx@localhost".to_owned());
        for role in ["AUTHOR", "COMMITTER"] {
            git.env.insert(format!("GIT_{role}_NAME"), name.clone());
            git.env.insert(format!("GIT_{role}_EMAIL"), email.clone());
            // Each attempt makes the same commit: what an earlier one has pushed is not in its way.
            git.env.extend(created_s(step.step.id).map(|seconds| (format!("GIT_{role}_DATE"), format!("{seconds} +0000"))));
        }
        let message = file(&scratch, "message", format!("{}\n\nNOFX-Step: {}\n", inputs.message, step.step.id)).await?;
        // Lines that begin with `#` are part of it.
        git.run(&["commit", "--quiet", "--no-gpg-sign", "--cleanup=whitespace", "--file", &message]).await?;
        // With some of the paths it is not what the gates judged. Then nobody begins with it: the step fails.
        let tree = git.run(&["rev-parse", "--verify", "HEAD^{tree}"]).await?.trim().to_owned();
        check_judged(step, &[tree]).await?;
        Ok(Outcome::Done { outputs: json!({"changed": true, "commit": git.head().await?}) })
    }
}

/// When a step was created, in seconds since 1970: its id says so.
fn created_s(step: Uuid) -> Option<u64> {
    step.get_timestamp().map(|at| at.to_unix().0)
}

/// The path of a new file with this text, for git.
async fn file(scratch: &Scratch, name: &'static str, text: String) -> Result<String, Failure> {
    let files = scratch.files()?;
    let written = tokio::task::spawn_blocking(move || files.write(name, text.as_bytes())).await;
    let written = written.map_err(|error| error.to_string()).flatten();
    written.map_err(|why| Failure::transient(format!("the file with the {name} of the commit {why}")))?;
    Ok(scratch.path().join(name).to_string_lossy().into_owned())
}
