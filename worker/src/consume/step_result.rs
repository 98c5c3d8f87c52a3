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
        without_nul(self.outcome.row(self.step, self.token, self.breaker_target.as_deref(), self.inputs.as_ref()))
    }
}

/// With U+FFFD for NUL, which Postgres does not store: one such outcome would have its whole batch refused.
fn without_nul(value: Value) -> Value {
    let replaced = |text: String| if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text };
    match value {
        Value::String(text) => Value::String(replaced(text)),
        Value::Array(items) => items.into_iter().map(without_nul).collect(),
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (replaced(key), without_nul(value))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::without_nul;

    #[test]
    fn postgres_stores_what_a_step_printed() {
        let printed = json!({"a\0": ["b\0c", 1, null], "d": {"e": "\0"}, "f": "plain"});
        let stored = json!({"a\u{fffd}": ["b\u{fffd}c", 1, null], "d": {"e": "\u{fffd}"}, "f": "plain"});
        assert_eq!(without_nul(printed), stored);
    }
}
