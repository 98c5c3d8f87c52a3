use nofx_shared::engine::Failure;
use schemars::JsonSchema;

use super::command::{self, Inputs, Known};
use super::readers::Format;
use super::{Bench, Gate, Judged};

/// Runs the type checker of the repository (cargo, tsc, mypy, go vet) and saves its findings as evidence.
#[derive(JsonSchema)]
pub(crate) struct Typecheck;

const KNOWN: &[Known] = &[
    Known::new("Cargo.toml", "cargo check --all-targets --message-format=json", Format::Cargo),
    Known::new("tsconfig.json", "npx --no-install tsc --noEmit --pretty false", Format::Tsc),
    Known::new("pyproject.toml", "mypy --no-color-output --show-column-numbers --no-error-summary .", Format::Lines),
    Known::new("go.mod", "go vet ./...", Format::Lines),
];

impl Gate for Typecheck {
    const TOOL: &'static str = "gate:typecheck";
    type Inputs = Inputs;

    async fn judge(bench: &Bench<'_>, inputs: Inputs) -> Result<Judged, Failure> {
        command::judge(bench, inputs, KNOWN, false).await
    }
}
