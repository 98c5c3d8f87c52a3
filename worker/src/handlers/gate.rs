//! The handler of all gates: see `gates`.

use std::borrow::Cow;
use std::marker::PhantomData;

use nofx_shared::engine::{Failure, Outcome};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::Handler;
use crate::gates::{self, AnyGate, Gate, OnTheSpot};
use crate::step::StepContext;

pub(super) struct GateHandler<G>(PhantomData<G>);

impl<G: Gate> Handler for GateHandler<G> {
    const TOOL: &'static str = G::TOOL;
    const TIMEOUT_S: u64 = G::TIMEOUT_S;
    type Inputs = G::Inputs;

    fn gate() -> Option<&'static dyn OnTheSpot> {
        Some(&AnyGate::<G>::NEW)
    }

    async fn run(step: &StepContext, inputs: G::Inputs) -> Result<Outcome, Failure> {
        gates::run_gate::<G>(step, inputs).await
    }
}

/// Its documentation is the gate's.
impl<G: Gate> JsonSchema for GateHandler<G> {
    fn schema_name() -> Cow<'static, str> {
        G::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        G::json_schema(generator)
    }
}
