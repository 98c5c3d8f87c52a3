//! What a tool is: its name, its inputs and what it does. A handler returns data; it never settles, emits, retries or waits.

use std::future::Future;
use std::marker::PhantomData;

use futures::future::BoxFuture;
use nofx_shared::engine::{Failure, Outcome};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::gates::OnTheSpot;
use crate::step::StepContext;

/// A tool. Its doc comment and those of its inputs are its page in docs/tools.md.
pub(crate) trait Handler: JsonSchema + Send + Sync + 'static {
    /// A name, or a prefix that ends in `:*`.
    const TOOL: &'static str;
    /// The default timeout of a step.
    const TIMEOUT_S: u64 = 600;
    /// Its inputs, checked before it runs.
    type Inputs: DeserializeOwned + JsonSchema + Send;

    /// The gate that the tool is, if it is one.
    fn gate() -> Option<&'static dyn OnTheSpot> {
        None
    }

    fn run(step: &StepContext, inputs: Self::Inputs) -> impl Future<Output = Result<Outcome, Failure>> + Send;
}

/// A handler without the type of its inputs.
pub(crate) trait Erased: Send + Sync {
    fn tool(&self) -> &'static str;
    fn default_timeout_s(&self) -> u64;
    /// JSON Schemas of the tool and of its inputs; their descriptions are the documentation.
    fn schemas(&self) -> (schemars::Schema, schemars::Schema);
    fn gate(&self) -> Option<&'static dyn OnTheSpot>;
    fn run<'a>(&'a self, step: &'a StepContext, inputs: Value) -> BoxFuture<'a, Result<Outcome, Failure>>;
}

/// A handler as an entry of the list.
pub(super) struct Tool<H>(PhantomData<H>);

impl<H> Tool<H> {
    pub(super) const NEW: Self = Self(PhantomData);
}

impl<H: Handler> Erased for Tool<H> {
    fn tool(&self) -> &'static str {
        H::TOOL
    }

    fn default_timeout_s(&self) -> u64 {
        H::TIMEOUT_S
    }

    fn schemas(&self) -> (schemars::Schema, schemars::Schema) {
        (schemars::schema_for!(H), schemars::schema_for!(H::Inputs))
    }

    fn gate(&self) -> Option<&'static dyn OnTheSpot> {
        H::gate()
    }

    fn run<'a>(&'a self, step: &'a StepContext, inputs: Value) -> BoxFuture<'a, Result<Outcome, Failure>> {
        Box::pin(async move {
            let inputs = serde_json::from_value(inputs).map_err(|error| Failure::permanent(format!("inputs of {}: {error}", H::TOOL)))?;
            H::run(step, inputs).await
        })
    }
}
