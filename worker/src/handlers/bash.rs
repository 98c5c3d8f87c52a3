use std::collections::BTreeMap;

use nofx_shared::engine::{Failure, Outcome};
use nofx_shared::secrets::Mask;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Handler;
use crate::drivers::{Executable, ProcessResult, last_lines, printable, tail};
use crate::step::{StepContext, media_type};

/// How much of a process' output is in the error of its step; the log has all of it.
const ERROR_LINES: usize = 20;
const ERROR_BYTES: usize = 4 << 10;

/// Exit codes of a shell whose last program was killed by a signal: 128 and the signal's number.
const SIGNALLED: std::ops::RangeInclusive<i32> = 129..=159;

/// Runs a script, or a program with arguments, in the run's workspace.
///
/// The process sees the environment that the step names, and `NOFX_OUTPUT`: a JSON object written to that file becomes the
/// step's outputs. Its output is saved as the artifact `log-<attempt>.txt`, secrets masked; a process that writes nothing leaves no log.
/// When it fails, the last lines of its standard error are in the step's error (`details.stderr`: at most 20 lines and 4 KiB, secrets
/// masked, control characters removed). A retry runs it again, with the same `NOFX_IDEMPOTENCY_KEY` when the step has one.
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
        let executable = match (inputs.script, inputs.argv) {
            (Some(script), None) => Executable::Script(script),
            (None, Some(argv)) if !argv.is_empty() => Executable::Argv(argv),
            _ => return Err(Failure::permanent("set either `script` or a non-empty `argv`")),
        };
        let folder = step.workspace().await?.below(&step.services.processes, inputs.cwd.as_deref()).await?;
        for (file, artifact) in &inputs.fetch {
            step.fetch(*artifact, &folder, file).await?;
        }
        let mut env = step.env.clone();
        env.extend(step.idempotency_key.clone().map(|key| ("NOFX_IDEMPOTENCY_KEY".to_owned(), key)));
        let result = step.run(executable, &folder, env).await?;
        let saved = save_log(step, &result).await;
        if step.stop.is_cancelled() {
            return Err(Failure::interrupted());
        }
        saved?;
        if result.exit_code != Some(0) {
            return Err(failure(&result, &step.mask));
        }
        let mut outputs = json!({"exit_code": 0, "stdout": tail(&step.mask.apply(&result.stdout), 16 << 10)});
        if let Some(written) = result.written {
            let written = written.map_err(|why| Failure::permanent(format!("the file NOFX_OUTPUT {why}")))?;
            let Ok(Value::Object(written)) = serde_json::from_slice(&written) else {
                return Err(Failure::permanent("the content of NOFX_OUTPUT is not a JSON object"));
            };
            outputs.as_object_mut().expect("it was made as an object").extend(written);
        }
        let mut artifacts = Map::new();
        for name in inputs.artifacts {
            let (_, id) = step.save_file(&name, &media_type(&name), &folder).await?;
            artifacts.insert(name, json!(id));
        }
        if !artifacts.is_empty() {
            outputs["artifacts"] = Value::Object(artifacts);
        }
        Ok(Outcome::Done { outputs })
    }
}

/// An empty log is no artifact.
async fn save_log(step: &StepContext, result: &ProcessResult) -> Result<(), Failure> {
    if result.output.is_empty() {
        return Ok(());
    }
    let log = format!("log-{}.txt", step.step.attempt);
    step.save_artifact(&log, "text/plain; charset=utf-8", step.mask.apply(&result.output).into_bytes()).await.map(drop)
}

fn failure(result: &ProcessResult, mask: &Mask) -> Failure {
    let message = match result.exit_code {
        None => format!("the process {}", result.death()),
        // So that nobody looks for it in the program: a signal to one of the script's programs is a code of the script's.
        Some(code) if SIGNALLED.contains(&code) => {
            format!("the process exited with code {code}, as a shell does when signal {} kills a program of its script", code - 128)
        }
        Some(code) => format!("the process exited with code {code}"),
    };
    let mut details = json!({"exit_code": result.exit_code});
    let stderr = readable_end(&mask.apply(&result.stderr), mask);
    if stderr.is_empty() {
        // Many programs report their errors on standard output.
        details["output"] = json!(readable_end(&mask.apply(&result.output), mask));
    } else {
        details["stderr"] = json!(stderr);
    }
    Failure::transient(message).ignored_by_breaker().with_details(details)
}

/// The last lines of a masked text, for an error. Masked again: a secret may have been hidden behind control characters.
fn readable_end(masked: &str, mask: &Mask) -> String {
    last_lines(&mask.apply(&printable(masked)), ERROR_LINES, ERROR_BYTES).to_owned()
}

#[cfg(test)]
mod tests {
    use nofx_shared::secrets::Mask;
    use serde_json::json;

    use super::{ERROR_BYTES, failure};
    use crate::drivers::ProcessResult;

    fn failed(stderr: &str, output: &str) -> ProcessResult {
        ProcessResult { exit_code: Some(2), stderr: stderr.to_owned(), output: output.to_owned(), ..ProcessResult::default() }
    }

    #[test]
    fn the_error_has_the_last_lines_of_standard_error() {
        let mask = Mask::new(["hunter2-hunter2".to_owned()]);
        let long = "x".repeat(ERROR_BYTES) + "hunter2-hunter2 and \u{1b}[31mhunter2\u{1b}[0m-hunter2\n";
        let details = failure(&failed(&long, "all of it"), &mask).details;
        let stderr = details["stderr"].as_str().expect("lines");
        assert!(stderr.len() <= ERROR_BYTES && stderr.ends_with("x*** and ***"), "{details}");
        assert!(!details.to_string().contains("hunter2") && details["output"].is_null(), "{details}");
        // A cut must not leave the end of a secret that no longer looks like one.
        let long = "hunter2-hunter2".to_owned() + &"y".repeat(ERROR_BYTES - 7);
        let details = failure(&failed(&long, ""), &mask).details;
        assert!(!details.to_string().contains("hunter2"), "{details}");
    }

    #[test]
    fn how_a_process_ended_is_in_the_message() {
        let of = |exit_code| failure(&ProcessResult { exit_code, ..ProcessResult::default() }, &Mask::default()).message;
        assert_eq!(of(None), "the process was killed by a signal");
        for code in [1, 127, 128, 160, 255] {
            assert_eq!(of(Some(code)), format!("the process exited with code {code}"));
        }
        assert_eq!(of(Some(137)), "the process exited with code 137, as a shell does when signal 9 kills a program of its script");
    }

    #[test]
    fn without_standard_error_it_has_the_end_of_the_output() {
        let details = failure(&failed(" \n", "1 failed\n"), &Mask::default()).details;
        assert_eq!(details, json!({"exit_code": 2, "output": "1 failed"}));
    }
}
