//! The result of an executed step: `start_step` sends it, `settling` reports it.

use nofx_shared::engine::Outcome;
use serde_json::Value;
use uuid::Uuid;

/// A step that was executed.
pub(super) struct StepResult {
    pub run: Uuid,
    pub step: Uuid,
    pub token: Uuid,
    pub outcome: Outcome,
    pub breaker_target: Option<String>,
    /// See `Executed`.
    pub inputs: Option<Value>,
}

/// What executing a step gave.
pub(super) struct Executed {
    pub outcome: Outcome,
    /// The inputs that its handler got, secrets masked, if they are not as in the step's spec.
    pub inputs: Option<Value>,
}

impl From<Outcome> for Executed {
    /// No handler ran.
    fn from(outcome: Outcome) -> Self {
        Self { outcome, inputs: None }
    }
}

impl StepResult {
    /// The row that `settle_steps` takes.
    pub(super) fn row(&self) -> Value {
        self.outcome.row(self.step, self.token, self.breaker_target.as_deref(), self.inputs.as_ref())
    }
}
