use nofx_sandbox::Files;
use nofx_shared::engine::Failure;
use schemars::JsonSchema;

use super::command::{self, Inputs};
use super::context::GateContext;
use super::gate::Gate;
use super::judgement::Judgement;
use super::known::{KnownCommand, detect};
use super::readers::Format;

/// Runs the type checker of the repository (cargo, tsc, mypy, go vet) and saves its findings as evidence.
#[derive(JsonSchema)]
pub(crate) struct Typecheck;

pub(super) const COMMANDS: &[KnownCommand] = &[
    KnownCommand::new("Cargo.toml", "cargo check --all-targets --message-format=json", Format::Cargo),
    KnownCommand::new("tsconfig.json", "npx --no-install tsc --noEmit --pretty false", Format::Tsc),
    KnownCommand::new("pyproject.toml", "mypy --no-color-output --show-column-numbers --no-error-summary .", Format::Lines),
    KnownCommand::new("go.mod", "go vet ./...", Format::Lines),
];

impl Gate for Typecheck {
    const TOOL: &'static str = "gate:typecheck";
    type Inputs = Inputs;

    fn fits(workspace: &Files) -> bool {
        detect(COMMANDS, workspace).is_some()
    }

    async fn judge(context: &GateContext<'_>, inputs: Inputs) -> Result<Judgement, Failure> {
        command::judge(context, inputs, COMMANDS, false).await
    }
}
