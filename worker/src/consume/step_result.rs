//! The result of an executed step: `start_step` sends it, `settling` reports it.

use nofx_shared::engine::Outcome;
use serde_json::Value;
use uuid::Uuid;

/// A step that was executed, with its outcome.
pub(super) struct StepResult {
    pub run: Uuid,
    pub step: Uuid,
    pub token: Uuid,
    pub outcome: Outcome,
    pub breaker_target: Option<String>,
}

impl StepResult {
    /// The row that `settle_steps` takes.
    pub(super) fn row(&self) -> Value {
        self.outcome.row(self.step, self.token, self.breaker_target.as_deref())
    }
}
