use nofx_sandbox::Files;
use nofx_shared::engine::Failure;
use schemars::JsonSchema;

use super::command::{self, Inputs};
use super::context::GateContext;
use super::gate::Gate;
use super::judgement::Judgement;
use super::known::{KnownCommand, detect};
use super::readers::Format;

/// Runs the linter of the repository (clippy, eslint, ruff, golangci-lint) and saves its findings as evidence.
#[derive(JsonSchema)]
pub(crate) struct Lint;

pub(super) const COMMANDS: &[KnownCommand] = &[
    KnownCommand::new("Cargo.toml", "cargo clippy --all-targets --message-format=json -- --deny warnings", Format::Cargo),
    KnownCommand::new("package.json", "npx --no-install eslint --format json .", Format::Eslint),
    KnownCommand::new("pyproject.toml", "ruff check --output-format json .", Format::Ruff),
    KnownCommand::new("go.mod", "golangci-lint run --color never", Format::Lines),
];

impl Gate for Lint {
    const TOOL: &'static str = "gate:lint";
    type Inputs = Inputs;

    fn fits(workspace: &Files) -> bool {
        detect(COMMANDS, workspace).is_some()
    }

    async fn judge(context: &GateContext<'_>, inputs: Inputs) -> Result<Judgement, Failure> {
        command::judge(context, inputs, COMMANDS, false).await
    }
}
