use nofx_shared::engine::{Failure, Outcome};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::Handler;
use crate::step::StepContext;

/// Fails on purpose, to test how a plan handles a failure.
#[derive(JsonSchema)]
pub(super) struct Fail;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Inputs {
    /// The message of the failure.
    message: Option<String>,
    /// Whether another attempt may succeed.
    #[serde(default)]
    transient: bool,
    /// Succeeds from this attempt on.
    until_attempt: Option<u32>,
}

impl Handler for Fail {
    const TOOL: &'static str = "fail";
    type Inputs = Inputs;

    async fn run(step: &StepContext, inputs: Inputs) -> Result<Outcome, Failure> {
        if inputs.until_attempt.is_some_and(|attempt| step.step.attempt >= attempt) {
            return Ok(Outcome::Done { outputs: json!({"attempt": step.step.attempt}) });
        }
        let message = inputs.message.unwrap_or_else(|| "failed as requested".to_owned());
        Err(if inputs.transient { Failure::transient(message) } else { Failure::permanent(message) })
    }
}
