use nofx_shared::engine::Failure;
use schemars::JsonSchema;

use super::command::{self, Inputs, Known};
use super::readers::Format;
use super::{Bench, Gate, Judged};

/// Runs the unit tests of the repository (cargo, pytest, npm, go) and saves the failures as evidence. When no test runs, the gate
/// stays closed.
#[derive(JsonSchema)]
pub(crate) struct Unit;

const KNOWN: &[Known] = &[
    Known::new("Cargo.toml", "cargo test --message-format=json", Format::Cargo),
    Known {
        file: "pyproject.toml",
        command: "pytest -q --junit-xml=.nofx-junit.xml",
        format: Format::Junit,
        report: Some(".nofx-junit.xml"),
    },
    Known::new("package.json", "npm test", Format::Text),
    Known::new("go.mod", "go test ./...", Format::Text),
];

impl Gate for Unit {
    const TOOL: &'static str = "gate:unit";
    type Inputs = Inputs;

    async fn judge(bench: &Bench<'_>, inputs: Inputs) -> Result<Judged, Failure> {
        command::judge(bench, inputs, KNOWN, true).await
    }
}
