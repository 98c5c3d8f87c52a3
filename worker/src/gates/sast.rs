use nofx_shared::engine::Failure;
use schemars::JsonSchema;

use super::command::{self, Inputs, Known};
use super::readers::Format;
use super::{Bench, Gate, Judged};

/// Runs a static security analysis (semgrep with the repository's own rules, ruff's security rules, gosec, or a command that
/// writes SARIF) and saves its findings as evidence.
#[derive(JsonSchema)]
pub(crate) struct Sast;

const KNOWN: &[Known] = &[
    Known::new(".semgrep*", "semgrep scan --config \"$(ls -d .semgrep* | head -n 1)\" --sarif --metrics off --quiet", Format::Sarif),
    Known::new("pyproject.toml", "ruff check --isolated --select S --output-format sarif .", Format::Sarif),
    Known::new("go.mod", "gosec -quiet -fmt sarif ./...", Format::Sarif),
];

impl Gate for Sast {
    const TOOL: &'static str = "gate:sast";
    type Inputs = Inputs;

    async fn judge(bench: &Bench<'_>, inputs: Inputs) -> Result<Judged, Failure> {
        command::judge(bench, inputs, KNOWN, false).await
    }
}
