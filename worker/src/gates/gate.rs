//! What a gate is: its tool, its inputs and how it judges. Saving the judgement is not its work: see `judge` and `run_gate`.

use std::future::Future;

use nofx_sandbox::Files;
use nofx_shared::engine::Failure;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::context::GateContext;
use super::judgement::Judgement;

/// A gate. Its doc comment and those of its inputs are its page in docs/tools.md.
pub(crate) trait Gate: JsonSchema + Send + Sync + 'static {
    /// `gate:<name>`
    const TOOL: &'static str;
    const TIMEOUT_S: u64 = 600;
    type Inputs: DeserializeOwned + JsonSchema + Send;

    /// Whether there is something in the folder that it judges without inputs.
    fn fits(workspace: &Files) -> bool;

    /// Judges the workspace. An error is a failure of the step, not of the work: a gate that cannot judge returns `inconclusive`.
    fn judge(context: &GateContext<'_>, inputs: Self::Inputs) -> impl Future<Output = Result<Judgement, Failure>> + Send;
}
