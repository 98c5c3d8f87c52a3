use std::collections::BTreeMap;

use nofx_shared::engine::{Failure, Outcome};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Handler;
use crate::drivers::{ProcessResult, script_argv, tail};
use crate::step::{StepContext, media_type};
use crate::workspace::{file_below, folder_below};

/// Runs a script, or a program with arguments, in the run's workspace.
///
/// The process sees the environment that the step names, and `NOFX_OUTPUT`: a JSON object written to that file becomes the
/// step's outputs. Its output is saved as the artifact `log-<attempt>.txt`, secrets masked. A retry runs it again,
/// with the same `NOFX_IDEMPOTENCY_KEY` when the step has one.
#[derive(JsonSchema)]
pub(super) struct Bash;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Inputs {
    /// A script for bash (`set -euo pipefail` is on).
    #[serde(alias = "command")]
    script: Option<String>,
    /// A program and its arguments, without a shell.
    argv: Option<Vec<String>>,
    /// Folder below the workspace.
    cwd: Option<String>,
    /// Files below `cwd` that are saved as artifacts once the step has succeeded: `dist/app.tar.gz`. Their ids are in `outputs.artifacts`.
    #[serde(default)]
    artifacts: Vec<String>,
    /// Artifacts, by id, that are written to files below `cwd` before the step starts:
    /// `{"app.tar.gz": "${{ steps.build.outputs.artifacts['dist/app.tar.gz'] }}"}`.
    #[serde(default)]
    fetch: BTreeMap<String, Uuid>,
}

impl Handler for Bash {
    const TOOL: &'static str = "bash";
    type Inputs = Inputs;

    async fn run(step: &StepContext, inputs: Inputs) -> Result<Outcome, Failure> {
        let argv = match (inputs.script, inputs.argv) {
            (Some(script), None) => script_argv(&script),
            (None, Some(argv)) if !argv.is_empty() => argv,
            _ => return Err(Failure::permanent("set either `script` or a non-empty `argv`")),
        };
        let dir = folder_below(step.workspace().await?, inputs.cwd.as_deref())?;
        for (file, artifact) in &inputs.fetch {
            let path = file_below(&dir, file)?;
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)
                    .map_err(|error| Failure::permanent(format!("could not create the folder of `{file}`: {error}")))?;
            }
            step.fetch(*artifact, &path).await?;
        }
        let mut env = step.env.clone();
        env.extend(step.idempotency_key.clone().map(|key| ("NOFX_IDEMPOTENCY_KEY".to_owned(), key)));
        let result = step.run(argv, &dir, env).await?;
        let log = format!("log-{}.txt", step.step.attempt);
        let saved = step.save_artifact(&log, "text/plain; charset=utf-8", step.mask.apply(&result.output).into_bytes()).await;
        if step.stop.is_cancelled() {
            return Err(Failure::interrupted());
        }
        saved?;
        if result.exit_code != Some(0) {
            return Err(failure(&result, step));
        }
        let mut outputs = json!({"exit_code": 0, "stdout": tail(&result.stdout, 16 << 10)});
        if let Some(written) = result.written {
            let Ok(Value::Object(written)) = serde_json::from_slice(&written) else {
                return Err(Failure::permanent("the content of NOFX_OUTPUT is not a JSON object"));
            };
            outputs.as_object_mut().expect("it was made as an object").extend(written);
        }
        let mut artifacts = Map::new();
        for name in inputs.artifacts {
            let (_, id) = step.save_file(&name, &media_type(&name), &file_below(&dir, &name)?).await?;
            artifacts.insert(name, json!(id));
        }
        if !artifacts.is_empty() {
            outputs["artifacts"] = Value::Object(artifacts);
        }
        Ok(Outcome::Done { outputs })
    }
}

fn failure(result: &ProcessResult, step: &StepContext) -> Failure {
    let output = step.mask.apply(tail(&result.output, 2000));
    let message = result
        .exit_code
        .map_or_else(|| "the process was killed by a signal".to_owned(), |code| format!("the process exited with code {code}"));
    Failure::transient(message).ignored_by_breaker().with_details(json!({"exit_code": result.exit_code, "output": output}))
}
