//! The gate: its inputs, the command that writes the reports, and the judgement.

use nofx_sandbox::Files;
use nofx_shared::engine::Failure;
use nofx_shared::gates::{Asked, Tool};
use schemars::JsonSchema;
use serde::Deserialize;

use super::compare::{Changes, compare};
use super::exclude;
use super::reports::{self, DEFAULT_REPORTS, remove_report};
use crate::drivers::Executable;
use crate::gates::context::GateContext;
use crate::gates::gate::Gate;
use crate::gates::judgement::Judgement;
use crate::gates::known::{KnownCommand, detect};
use crate::gates::readers::Format;

/// Checks whether tests ran the lines that changed since a base: at least 90 % of them. Reads LCOV, Cobertura, Clover, JaCoCo,
/// Istanbul's coverage-final.json and llvm-cov's JSON. A changed source file that is not in any report keeps the gate closed.
#[derive(JsonSchema)]
#[schemars(rename = "Coverage")]
pub(crate) struct CoverageGate;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Inputs {
    /// Branch, tag or commit to compare with, at the merge base. Default: the default branch of the plan's repository; without one
    /// `origin/HEAD`, `origin/main` or `origin/master`.
    base: Option<String>,
    /// Runs the tests and writes the reports, which are removed before; default: the one that fits the repository (cargo llvm-cov, pytest with
    /// pytest-cov, c8), or none when an earlier step has left a report. A policy may count only what the gate measured itself.
    command: Option<String>,
    /// Reports below the workspace; default: those in the usual places.
    reports: Option<Vec<String>>,
    /// Percent of the changed lines that must have run; default: 90.
    threshold: Option<f64>,
    /// Files that need no coverage, as lines of a .gitignore in the root folder: `docs/`, `src/gen/*.ts`, `!src/gen/main.ts`.
    #[serde(default)]
    exclude: Vec<String>,
}

/// Commands that run the tests and write a report.
pub(in crate::gates) const COMMANDS: &[KnownCommand] = &[
    measuring("Cargo.toml", "cargo llvm-cov --lcov --output-path .nofx-coverage.info", ".nofx-coverage.info"),
    measuring(
        "pyproject.toml",
        "COVERAGE_FILE=${TMPDIR:-/tmp}/.nofx-coverage pytest -q --cov --cov-report=lcov:.nofx-coverage.info",
        ".nofx-coverage.info",
    ),
    measuring(
        "package.json",
        "npx --no-install c8 --reporter=lcovonly --reports-dir=.nofx-coverage --temp-directory=${TMPDIR:-/tmp}/.nofx-c8 npm test",
        ".nofx-coverage/lcov.info",
    ),
];

const fn measuring(file: &'static str, command: &'static str, report: &'static str) -> KnownCommand {
    KnownCommand { file, command, format: Format::Text, report: Some(report) }
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
        exclude::exclude(&inputs.exclude)?;
        let git = context.git(&context.workspace);
        if !git.is_repository().await? {
            return Ok(Judgement::inconclusive("the workspace is not a git repository: there is nothing to compare with"));
        }
        let changes = match Changes::find(context, &context.workspace, inputs.base.as_deref()).await? {
            Ok(changes) => changes,
            Err(why) => return Ok(Judgement::inconclusive(why)),
        };
        let threshold_milli = (threshold * 1000.0).round() as u64;
        let mut asked = Asked {
            threshold_milli: Some(threshold_milli),
            exclude: inputs.exclude.clone(),
            base: inputs.base.clone(),
            base_from: Some(changes.base.from),
            ..Asked::default()
        };
        let (chosen, has_reports) =
            context.workspace.off_loop(|files| (detect(COMMANDS, files).copied(), !reports::in_the_usual_places(files).is_empty())).await?;
        // The known command measures what nobody measured; whoever names it asks for it although there is a report.
        let chosen = chosen.filter(|known| {
            inputs.reports.is_none()
                && match &inputs.command {
                    Some(command) => command == known.command,
                    None => !has_reports && changes.are_to_measure(),
                }
        });
        let command = inputs.command.or_else(|| chosen.map(|known| known.command.to_owned()));
        let named = inputs.reports.or_else(|| chosen.and_then(|known| known.report).map(|name| vec![name.to_owned()]));
        let mut ran = None;
        if let Some(command) = &command {
            // A report that was there before says nothing of this command.
            for name in named.as_deref().map_or_else(|| DEFAULT_REPORTS.to_vec(), |names| names.iter().map(String::as_str).collect()) {
                remove_report(&context.workspace, name).await?;
            }
            ran = Some(context.run(Executable::script(command), &context.workspace).await?);
        }
        (asked.is_known, asked.is_measured) = (chosen.is_some(), Some(ran.is_some()));
        asked.command = command.map(|command| context.mask.apply(&command));
        let tool = Tool { name: "nofx".to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) };
        // Reports that an earlier step left say nothing of a command that failed.
        let mut judgement = match ran.as_ref().map(|ran| (ran.exit_code, ran)) {
            None | Some((Some(0), _)) => compare(context, changes, named.as_deref(), chosen.and_then(|known| known.report), &asked).await?,
            Some((Some(127 | 126), ran)) => {
                Judgement::inconclusive(format!("a required tool is missing: {}", context.end_of(&ran.output, 500)))
            }
            Some((Some(code), _)) => Judgement::inconclusive(format!("the command exited with code {code}")),
            Some((None, ran)) => Judgement::inconclusive(format!("the command {}", ran.death())),
        };
        let (output, exit_code) = ran.map_or_else(Default::default, |ran| (ran.output, ran.exit_code));
        (judgement.tool, judgement.output, judgement.exit_code) = (tool, output, exit_code);
        judgement.command.clone_from(&asked.command);
        asked.of_kind = judgement.asked.of_kind.take();
        judgement.asked = asked;
        Ok(judgement)
    }
}
