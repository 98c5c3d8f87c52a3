use nofx_sandbox::Files;
use nofx_shared::engine::Failure;
use schemars::JsonSchema;

use super::command::{self, Inputs};
use super::context::GateContext;
use super::gate::Gate;
use super::judgement::Judgement;
use super::known::{KnownCommand, detect};
use super::readers::Format;

/// Runs the unit tests of the repository (cargo, pytest, npm, go) and saves the failures as evidence. When no tests run, the gate
/// does not pass.
#[derive(JsonSchema)]
pub(crate) struct Unit;

pub(super) const COMMANDS: &[KnownCommand] = &[
    KnownCommand::new("Cargo.toml", "cargo test --message-format=json", Format::Cargo),
    KnownCommand {
        file: "pyproject.toml",
        command: "pytest -q --junit-xml=.nofx-junit.xml",
        format: Format::Junit,
        report: Some(".nofx-junit.xml"),
    },
    KnownCommand::new("package.json", "npm test", Format::Text),
    KnownCommand::new("go.mod", "go test -v ./...", Format::Text),
];

impl Gate for Unit {
    const TOOL: &'static str = "gate:unit";
    type Inputs = Inputs;

    fn fits(workspace: &Files) -> bool {
        detect(COMMANDS, workspace).is_some()
    }

    async fn judge(context: &GateContext<'_>, inputs: Inputs) -> Result<Judgement, Failure> {
        command::judge(context, inputs, COMMANDS, true).await
    }
}
