//! The gate: its inputs, the command that writes the reports, and the judgement.

use nofx_sandbox::Files;
use nofx_shared::engine::Failure;
use nofx_shared::gates::Tool;
use schemars::JsonSchema;
use serde::Deserialize;

use super::compare::compare;
use super::reports;
use crate::drivers::Executable;
use crate::gates::context::GateContext;
use crate::gates::gate::Gate;
use crate::gates::judgement::Judgement;

/// Checks whether tests ran the lines that changed since a base: at least 90 % of them. Reads LCOV, Cobertura, Clover, JaCoCo,
/// Istanbul's coverage-final.json and llvm-cov's JSON. A changed source file that is not in any report keeps the gate closed.
#[derive(JsonSchema)]
#[schemars(rename = "Coverage")]
pub(crate) struct CoverageGate;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Inputs {
    /// Branch, tag or commit to compare with, at the merge base. Default: `origin/HEAD`, `origin/main` or `origin/master`.
    base: Option<String>,
    /// Runs the tests and writes the reports; default: none, because an earlier step did both.
    command: Option<String>,
    /// Reports below the workspace; default: those in the usual places.
    reports: Option<Vec<String>>,
    /// Percent of the changed lines that must have run; default: 90.
    threshold: Option<f64>,
    /// Files that need no coverage, as lines of a .gitignore in the root folder: `docs/`, `src/gen/*.ts`, `!src/gen/main.ts`.
    #[serde(default)]
    exclude: Vec<String>,
}

impl Gate for CoverageGate {
    const TOOL: &'static str = "gate:coverage";
    type Inputs = Inputs;

    fn fits(workspace: &Files) -> bool {
        !reports::in_the_usual_places(workspace).is_empty()
    }

    async fn judge(context: &GateContext<'_>, inputs: Inputs) -> Result<Judgement, Failure> {
        let threshold = inputs.threshold.unwrap_or(90.0);
        if !(0.0..=100.0).contains(&threshold) {
            return Err(Failure::permanent(format!("`threshold` must be a percentage from 0 to 100, not {threshold}")));
        }
        let git = context.git(&context.workspace);
        if !git.is_repository().await? {
            return Ok(Judgement::inconclusive("the workspace is not a git repository: there is nothing to compare with"));
        }
        let mut ran = None;
        if let Some(command) = &inputs.command {
            ran = Some(context.run(Executable::script(command), &context.workspace).await?);
        }
        let tool = Tool { name: "nofx".to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) };
        // Reports that an earlier step left say nothing of a command that failed.
        let mut judgement = match ran.as_ref().map(|ran| (ran.exit_code, ran)) {
            None | Some((Some(0), _)) => {
                let threshold_milli = (threshold * 1000.0).round() as u64;
                compare(context, &git, inputs.base.as_deref(), inputs.reports.as_deref(), &inputs.exclude, threshold_milli).await?
            }
            Some((Some(code), _)) => Judgement::inconclusive(format!("the command exited with code {code}")),
            Some((None, ran)) => Judgement::inconclusive(format!("the command {}", ran.death())),
        };
        let (output, exit_code) = ran.map_or_else(Default::default, |ran| (ran.output, ran.exit_code));
        (judgement.tool, judgement.output, judgement.exit_code) = (tool, output, exit_code);
        judgement.command = inputs.command.map(|command| context.mask.apply(&command));
        Ok(judgement)
    }
}
