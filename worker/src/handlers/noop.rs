use nofx_shared::engine::{Failure, Outcome};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Portable;
use crate::step::Attempt;

/// Does nothing; returns its inputs as outputs.
#[derive(JsonSchema)]
pub(super) struct Noop;

/// Anything.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Inputs {
    #[serde(flatten)]
    all: Map<String, Value>,
}

impl Portable for Noop {
    const TOOL: &'static str = "noop";
    type Inputs = Inputs;

    async fn run(_: &Attempt<'_>, inputs: Inputs) -> Result<Outcome, Failure> {
        Ok(Outcome::Done { outputs: Value::Object(inputs.all) })
    }
}
