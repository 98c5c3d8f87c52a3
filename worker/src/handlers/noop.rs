use nofx_shared::engine::{Failure, Outcome};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Handler;
use crate::step::StepContext;

/// Does nothing; returns its inputs as outputs.
#[derive(JsonSchema)]
pub(super) struct Noop;

/// Anything.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Inputs {
    #[serde(flatten)]
    all: Map<String, Value>,
}

impl Handler for Noop {
    const TOOL: &'static str = "noop";
    type Inputs = Inputs;

    async fn run(_: &StepContext, inputs: Inputs) -> Result<Outcome, Failure> {
        Ok(Outcome::Done { outputs: Value::Object(inputs.all) })
    }
}
