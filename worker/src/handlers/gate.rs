use std::path::Path;

use chrono::Utc;
use nofx_shared::db;
use nofx_shared::engine::{self, Failure, Outcome};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{Handler, bash};
use crate::consume::StepContext;
use crate::drivers::Command;

/// Runs the type checker of the repository and keeps its verdict as evidence.
#[derive(JsonSchema)]
pub(super) struct Typecheck;
/// Runs the linter of the repository and keeps its verdict as evidence.
#[derive(JsonSchema)]
pub(super) struct Lint;
/// Runs the unit tests of the repository and keeps their verdict as evidence.
#[derive(JsonSchema)]
pub(super) struct Unit;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Inputs {
    /// What to run; when not given, what the repository's own files say.
    command: Option<String>,
    /// Folder below the workspace.
    cwd: Option<String>,
}

/// What a repository with this file is checked with: typecheck, lint, unit.
const KNOWN: &[(&str, [&str; 3])] = &[
    ("Cargo.toml", ["cargo check --all-targets", "cargo clippy --all-targets -- --deny warnings", "cargo test"]),
    ("package.json", ["npx --no-install tsc --noEmit", "npx --no-install eslint .", "npm test"]),
    ("pyproject.toml", ["mypy .", "ruff check .", "pytest"]),
    ("go.mod", ["go vet ./...", "golangci-lint run", "go test ./..."]),
];

impl Handler for Typecheck {
    const TOOL: &'static str = "gate:typecheck";
    type Inputs = Inputs;

    async fn run(step: &StepContext, inputs: Inputs) -> Result<Outcome, Failure> {
        check(step, inputs, "typecheck", 0).await
    }
}

impl Handler for Lint {
    const TOOL: &'static str = "gate:lint";
    type Inputs = Inputs;

    async fn run(step: &StepContext, inputs: Inputs) -> Result<Outcome, Failure> {
        check(step, inputs, "lint", 1).await
    }
}

impl Handler for Unit {
    const TOOL: &'static str = "gate:unit";
    type Inputs = Inputs;

    async fn run(step: &StepContext, inputs: Inputs) -> Result<Outcome, Failure> {
        check(step, inputs, "unit", 2).await
    }
}

async fn check(step: &StepContext, inputs: Inputs, name: &str, column: usize) -> Result<Outcome, Failure> {
    let dir = bash::below(step.workspace().await?, inputs.cwd.as_deref())?;
    let command = match inputs.command {
        Some(command) => command,
        None => found(&dir, column).ok_or_else(|| {
            let files = KNOWN.iter().map(|(file, _)| *file).collect::<Vec<_>>().join(", ");
            Failure::permanent(format!("gate:{name} does not know this repository (none of {files}): give `command`"))
        })?,
    };
    let began = Utc::now();
    let argv = bash::script_argv(&command);
    let ended =
        step.tools.processes.run(Command { argv, dir, env: step.env.clone(), trace: step.trace.clone(), stop: step.stop.clone() }).await?;
    if step.stop.is_cancelled() {
        return Err(Failure::transient("it was stopped"));
    }
    let passed = ended.exit_code == Some(0);
    let log = step
        .keep(&format!("log-{}.txt", step.step.attempt), "text/plain; charset=utf-8", step.mask.apply(&ended.output).into_bytes())
        .await?;
    let evidence = json!({
        "schema": "nofx.gate.evidence/v1", "gate": step.step.tool, "passed": passed, "command": step.mask.apply(&command),
        "exit_code": ended.exit_code, "started_at": began, "duration_ms": (Utc::now() - began).num_milliseconds(), "log": log,
        "run_id": step.step.run_id, "step_id": step.step.id, "attempt": step.step.attempt,
    });
    let path = step.keep(&format!("gate-{name}.json"), "application/json", evidence.to_string().into_bytes()).await?;
    let record = || engine::record_gate(&step.tools.db, &step.step, passed, &path);
    step.insist(record, db::Error::is_about_the_call)
        .await
        .map_err(|error| Failure::transient(format!("the verdict cannot be recorded: {error}")))?
        .ok_or_else(|| Failure::transient("the lease was lost"))?;
    if passed {
        return Ok(Outcome::Done { outputs: json!({"passed": true, "evidence": path}) });
    }
    // bash says 127 when a program is not there.
    if ended.exit_code == Some(127) {
        let said = bash::tail(&ended.output, 500);
        return Err(Failure::permanent(format!("gate:{name} cannot run, a tool is missing: {}", said.trim())));
    }
    Err(Failure { transient: false, ..bash::failure(&ended, step) })
}

fn found(dir: &Path, column: usize) -> Option<String> {
    KNOWN.iter().find(|(file, _)| dir.join(file).is_file()).map(|(_, commands)| commands[column].to_owned())
}
