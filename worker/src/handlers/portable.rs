//! Tools that need nothing of a worker's machine: no process, no workspace, no key that signs. A function that executes steps has them, too,
//! and the rest of the worker not.

use std::future::Future;

use futures::future::BoxFuture;
use nofx_shared::engine::{Failure, Outcome};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::handler::{Handler, Tool};
use super::{db_write, http, noop};
use crate::step::{Attempt, StepContext};

/// Such a tool: see `Handler`, which each of them is.
pub(crate) trait Portable: JsonSchema + Send + Sync + 'static {
    /// Its name.
    const TOOL: &'static str;
    /// The default timeout of a step.
    const TIMEOUT_S: u64 = 600;
    /// Its inputs, checked before it runs.
    type Inputs: DeserializeOwned + JsonSchema + Send;

    fn run(attempt: &Attempt<'_>, inputs: Self::Inputs) -> impl Future<Output = Result<Outcome, Failure>> + Send;
}

impl<P: Portable> Handler for P {
    const TOOL: &'static str = P::TOOL;
    const TIMEOUT_S: u64 = P::TIMEOUT_S;
    type Inputs = P::Inputs;

    async fn run(step: &StepContext, inputs: P::Inputs) -> Result<Outcome, Failure> {
        P::run(&step.attempt(), inputs).await
    }
}

/// Such a tool without the type of its inputs.
pub(crate) trait ErasedPortable: Send + Sync {
    fn name(&self) -> &'static str;
    fn run_anywhere<'a>(&'a self, attempt: &'a Attempt<'a>, inputs: Value) -> BoxFuture<'a, Result<Outcome, Failure>>;
}

impl<P: Portable> ErasedPortable for Tool<P> {
    fn name(&self) -> &'static str {
        P::TOOL
    }

    fn run_anywhere<'a>(&'a self, attempt: &'a Attempt<'a>, inputs: Value) -> BoxFuture<'a, Result<Outcome, Failure>> {
        Box::pin(async move {
            let inputs = serde_json::from_value(inputs).map_err(|error| Failure::permanent(format!("inputs of {}: {error}", P::TOOL)))?;
            P::run(attempt, inputs).await
        })
    }
}

/// The list of them.
fn portable_tools() -> [&'static dyn ErasedPortable; 3] {
    [&Tool::<noop::Noop>::NEW, &Tool::<http::Http>::NEW, &Tool::<db_write::DbWrite>::NEW]
}

pub(crate) fn find_portable(tool: &str) -> Option<&'static dyn ErasedPortable> {
    portable_tools().into_iter().find(|portable| portable.name() == tool)
}

#[cfg(test)]
mod tests {
    use nofx_shared::drivers::Driver;
    use nofx_shared::plan::TOOLS;

    use super::find_portable;

    #[test]
    fn functions_take_the_tools_that_need_no_machine_and_those_that_call_models() {
        let taken: Vec<&str> = TOOLS.iter().copied().filter(|tool| Driver::VercelFunction.takes(tool)).collect();
        let (whole, rest): (Vec<&str>, Vec<&str>) = taken.into_iter().partition(|tool| find_portable(tool).is_some());
        assert_eq!((whole, rest), (vec!["noop", "http", "db_write"], vec!["codegen", "plan:make"]));
        assert!(TOOLS.iter().all(|tool| find_portable(tool).is_none() || Driver::VercelFunction.takes(tool)));
    }
}
