use nofx_sandbox::Files;
use nofx_shared::engine::Failure;
use schemars::JsonSchema;

use super::command::{self, Inputs};
use super::context::GateContext;
use super::gate::Gate;
use super::judgement::Judgement;
use super::known::{KnownCommand, detect};
use super::readers::Format;

/// Runs a static security analysis (semgrep with the repository's own rules, ruff's security rules, gosec, or a command that
/// writes SARIF) and saves its findings as evidence.
#[derive(JsonSchema)]
pub(crate) struct Sast;

pub(super) const COMMANDS: &[KnownCommand] = &[
    KnownCommand::new(".semgrep*", "semgrep scan --config \"$(ls -d .semgrep* | head -n 1)\" --sarif --metrics off --quiet", Format::Sarif),
    KnownCommand::new("pyproject.toml", "ruff check --isolated --select S --output-format sarif .", Format::Sarif),
    KnownCommand::new("go.mod", "gosec -quiet -fmt sarif ./...", Format::Sarif),
];

impl Gate for Sast {
    const TOOL: &'static str = "gate:sast";
    type Inputs = Inputs;

    fn fits(workspace: &Files) -> bool {
        detect(COMMANDS, workspace).is_some()
    }

    async fn judge(context: &GateContext<'_>, inputs: Inputs) -> Result<Judgement, Failure> {
        command::judge(context, inputs, COMMANDS, false).await
    }
}
