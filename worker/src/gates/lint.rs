use nofx_shared::engine::Failure;
use schemars::JsonSchema;

use super::command::{self, Inputs, Known};
use super::readers::Format;
use super::{Bench, Gate, Judged};

/// Runs the linter of the repository (clippy, eslint, ruff, golangci-lint) and saves its findings as evidence.
#[derive(JsonSchema)]
pub(crate) struct Lint;

const KNOWN: &[Known] = &[
    Known::new("Cargo.toml", "cargo clippy --all-targets --message-format=json -- --deny warnings", Format::Cargo),
    Known::new("package.json", "npx --no-install eslint --format json .", Format::Eslint),
    Known::new("pyproject.toml", "ruff check --output-format json .", Format::Ruff),
    Known::new("go.mod", "golangci-lint run --color never", Format::Lines),
];

impl Gate for Lint {
    const TOOL: &'static str = "gate:lint";
    type Inputs = Inputs;

    async fn judge(bench: &Bench<'_>, inputs: Inputs) -> Result<Judged, Failure> {
        command::judge(bench, inputs, KNOWN, false).await
    }
}
