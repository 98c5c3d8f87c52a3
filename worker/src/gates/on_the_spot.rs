//! A gate without the type of its inputs, for whoever judges a working tree without a step: see `working_tree`.

use std::marker::PhantomData;

use futures::future::BoxFuture;
use nofx_sandbox::Files;
use nofx_shared::engine::Failure;
use serde_json::Value;

use super::context::GateContext;
use super::gate::Gate;
use super::judge::{GateResult, judge};

pub(crate) trait OnTheSpot: Send + Sync {
    /// Whether there is something in the folder that the gate judges without inputs.
    fn fits(&self, workspace: &Files) -> bool;
    fn judge<'a>(&'a self, context: &'a GateContext<'a>, inputs: Value) -> BoxFuture<'a, Result<GateResult, Failure>>;
}

/// A gate as a value.
pub(crate) struct AnyGate<G>(PhantomData<G>);

impl<G> AnyGate<G> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<G: Gate> OnTheSpot for AnyGate<G> {
    fn fits(&self, workspace: &Files) -> bool {
        G::fits(workspace)
    }

    fn judge<'a>(&'a self, context: &'a GateContext<'a>, inputs: Value) -> BoxFuture<'a, Result<GateResult, Failure>> {
        Box::pin(async move {
            let inputs = serde_json::from_value(inputs).map_err(|error| Failure::permanent(format!("inputs of {}: {error}", G::TOOL)))?;
            judge::<G>(context, inputs).await
        })
    }
}
