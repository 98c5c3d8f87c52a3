//! What a step can do: one file a tool, and the list of all. A handler returns data; it never settles, emits, retries or waits.

mod bash;
mod fail;
mod gate;
mod http;
mod manual;
mod noop;
mod sleep;

use std::future::Future;
use std::marker::PhantomData;

use futures::future::BoxFuture;
use nofx_shared::engine::{Failure, Outcome};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::consume::StepContext;

/// A tool.
pub(crate) trait Handler: Send + Sync + 'static {
    /// A name, or a prefix that ends in `:*`.
    const TOOL: &'static str;
    /// How long a step may run when its plan says nothing.
    const TIMEOUT_S: u64 = 600;
    /// What it takes; checked before it runs.
    type Inputs: DeserializeOwned + JsonSchema + Send;

    fn run(step: &StepContext, inputs: Self::Inputs) -> impl Future<Output = Result<Outcome, Failure>> + Send;
}

/// The one list of tools.
fn all() -> [&'static dyn Erased; 9] {
    [
        &Tool::<noop::Noop>::NEW,
        &Tool::<sleep::Sleep>::NEW,
        &Tool::<fail::Fail>::NEW,
        &Tool::<bash::Bash>::NEW,
        &Tool::<http::Http>::NEW,
        &Tool::<gate::Typecheck>::NEW,
        &Tool::<gate::Lint>::NEW,
        &Tool::<gate::Unit>::NEW,
        &Tool::<manual::Manual>::NEW,
    ]
}

pub(crate) fn find(tool: &str) -> Option<&'static dyn Erased> {
    all().into_iter().find(|handler| match handler.tool().strip_suffix('*') {
        Some(prefix) => tool.starts_with(prefix),
        None => handler.tool() == tool,
    })
}

/// A handler without its type of inputs.
pub(crate) trait Erased: Send + Sync {
    fn tool(&self) -> &'static str;
    fn default_timeout_s(&self) -> u64;
    fn run<'a>(&'a self, step: &'a StepContext, inputs: Value) -> BoxFuture<'a, Result<Outcome, Failure>>;
}

struct Tool<H>(PhantomData<H>);

impl<H> Tool<H> {
    const NEW: Self = Self(PhantomData);
}

impl<H: Handler> Erased for Tool<H> {
    fn tool(&self) -> &'static str {
        H::TOOL
    }

    fn default_timeout_s(&self) -> u64 {
        H::TIMEOUT_S
    }

    fn run<'a>(&'a self, step: &'a StepContext, inputs: Value) -> BoxFuture<'a, Result<Outcome, Failure>> {
        Box::pin(async move {
            let inputs = serde_json::from_value(inputs).map_err(|error| Failure::permanent(format!("inputs of {}: {error}", H::TOOL)))?;
            H::run(step, inputs).await
        })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tools_that_plans_may_name_are_the_tools_there_are() {
        let here: Vec<&str> = super::all().iter().map(|handler| handler.tool()).collect();
        assert_eq!(here, nofx_shared::plan::TOOLS);
    }
}
