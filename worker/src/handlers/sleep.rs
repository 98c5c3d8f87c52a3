use nofx_shared::engine::{Failure, Outcome};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::Handler;
use crate::step::StepContext;

/// Waits. The step is parked meanwhile and occupies no worker.
#[derive(JsonSchema)]
pub(super) struct Sleep;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Inputs {
    /// How long, in seconds; 0 to 31,536,000.
    seconds: f64,
}

impl Handler for Sleep {
    const TOOL: &'static str = "sleep";
    type Inputs = Inputs;

    async fn run(step: &StepContext, inputs: Inputs) -> Result<Outcome, Failure> {
        if !(0.0..=31_536_000.0).contains(&inputs.seconds) {
            return Err(Failure::permanent("seconds must be from 0 to 31,536,000"));
        }
        if step.step.parked_outputs.is_some() {
            return Ok(Outcome::Done { outputs: json!({"slept_s": inputs.seconds}) });
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked in the lines above")]
        Ok(Outcome::Timer { wait_ms: (inputs.seconds * 1000.0) as u64 })
    }
}
