use nofx_shared::engine::{Failure, Outcome};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::Handler;
use crate::step::StepContext;

/// Waits for a person: parks the step on a gate; a decision makes it ready again. A rejection fails the step.
#[derive(JsonSchema)]
pub(super) struct Manual;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Inputs {
    /// Shown to the people who decide.
    question: Option<String>,
}

impl Handler for Manual {
    const TOOL: &'static str = "manual:*";
    type Inputs = Inputs;

    async fn run(step: &StepContext, inputs: Inputs) -> Result<Outcome, Failure> {
        Ok(match &step.step.gate {
            None => Outcome::Gate { gate_type: step.step.tool.clone(), question: inputs.question },
            Some(gate) => Outcome::Done { outputs: json!({"decision": gate.status, "decided_by": gate.decided_by, "reason": gate.reason}) },
        })
    }
}
