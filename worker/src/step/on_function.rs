//! Has a function execute what needs nothing of this machine, for steps of the driver `vercel-function`. How it is called is not here: see
//! `drivers::vercel_function`.

use nofx_shared::drivers::{Driver, Enforced};
use nofx_shared::engine::{Failure, Outcome};
use serde_json::Value;

use super::StepContext;
use crate::drivers::{Answer, VercelFunction, Work};
use crate::models::{ModelRequest, ModelResponse};

impl StepContext {
    /// Whether a function executes what the step's tool lets it.
    pub(crate) fn is_on_function(&self) -> bool {
        self.step.driver() == Driver::VercelFunction
    }

    /// Has a function execute all of the step's tool. Its failures have the breaker target that the tool named there.
    pub(crate) async fn run_on_function(&self, inputs: Value) -> Result<Outcome, Failure> {
        let answer = self.call_function(&Work::Tool { inputs, idempotency_key: self.idempotency_key.clone() }).await?;
        if let Some(target) = answer.breaker_target {
            drop(self.breaker_target.set(target));
        }
        Ok(answer.executed.outcome())
    }

    /// Has a function call a model.
    pub(super) async fn ask_on_function(&self, request: ModelRequest) -> Result<ModelResponse, Failure> {
        self.call_function(&Work::Model(request)).await?.executed.response()
    }

    async fn call_function(&self, work: &Work) -> Result<Answer, Failure> {
        let function = self.services.function.as_ref();
        // Checked before it was started, too.
        let function = function.ok_or_else(|| Failure::permanent("this deployment does not offer the driver vercel-function"))?;
        // No process ran, and nothing is claimed: only where it was executed.
        let enforced = Enforced { driver: Driver::VercelFunction.as_str().to_owned(), ..Enforced::default() };
        self.sandboxed.lock().expect("the lock is never poisoned").add(Some(&enforced), None);
        tokio::select! {
            answer = function.call(&self.step, self.trace.as_ref(), work) => answer,
            () = self.stop.cancelled() => Err(Failure::interrupted()),
        }
    }
}

impl StepContext {
    /// After how many seconds a function that executes the step's tool ends.
    pub(crate) fn function_timeout_s(&self) -> u64 {
        VercelFunction::timeout_s(&self.step)
    }
}
