use std::collections::BTreeMap;

use nofx_sandbox::Files;
use nofx_shared::engine::Failure;
use nofx_shared::gates::{Asked, Severity, Verdict};
use schemars::JsonSchema;
use serde::Deserialize;

use super::command::folder_name;
use super::context::GateContext;
use super::gate::Gate;
use super::judgement::Judgement;
use super::program::tool_of;
use super::readers::{self, ToolOutput};
use crate::drivers::Executable;

/// Starts the product and tries it end to end. Allowed only in plans that set `"risky": true`. Runs with stubs in place of
/// secrets: a step of this tool cannot name any.
#[derive(JsonSchema)]
pub(crate) struct E2eSmoke;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Inputs {
    /// Command to run.
    command: String,
    /// Folder below the workspace.
    cwd: Option<String>,
    /// Stubs for environment variables of the product, by name.
    #[serde(default)]
    stubs: BTreeMap<String, String>,
}

impl Gate for E2eSmoke {
    const TOOL: &'static str = "gate:e2e_smoke";
    type Inputs = Inputs;

    /// How a product is started cannot be detected.
    fn fits(_: &Files) -> bool {
        false
    }

    async fn judge(context: &GateContext<'_>, inputs: Inputs) -> Result<Judgement, Failure> {
        let folder = context.folder(inputs.cwd.as_deref()).await?;
        let command = context.mask.apply(&inputs.command);
        let asked = Asked {
            command: Some(command.clone()),
            cwd: folder_name(inputs.cwd.as_deref()),
            env: inputs.stubs.keys().cloned().collect(),
            ..Asked::default()
        };
        let mut env = context.env.clone();
        env.extend(inputs.stubs);
        env.insert("NOFX_STUBBED".to_owned(), "true".to_owned());
        let result = context.run_with(Executable::script(&inputs.command), &folder, env).await?;
        let output = ToolOutput { stdout: &result.stdout, output: &result.output };
        let reading = readers::recognise(&output).and_then(|format| readers::read(format, &output).ok()).unwrap_or_default();
        let failed = reading.tests.map_or(0, |tests| tests.failed)
            + reading.findings.iter().filter(|finding| finding.severity == Severity::Error).count() as u64;
        let (verdict, summary) = match result.exit_code {
            Some(0) if failed == 0 => (Verdict::Pass, "the smoke test passed".to_owned()),
            Some(127 | 126) => (Verdict::Inconclusive, format!("a required tool is missing: {}", context.end_of(&result.output, 500))),
            Some(0) => (Verdict::Fail, format!("{failed} checks failed")),
            Some(code) => (Verdict::Fail, format!("the smoke test exited with code {code}: {}", context.end_of(&result.output, 300))),
            None => (Verdict::Inconclusive, format!("the smoke test {}", result.death())),
        };
        Ok(Judgement {
            tool: tool_of(context, &inputs.command, &folder).await?,
            command: Some(command),
            asked,
            exit_code: result.exit_code,
            findings: reading.findings,
            tests: reading.tests,
            output: result.output,
            ..Judgement::of(verdict, summary)
        })
    }
}
