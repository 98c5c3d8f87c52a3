//! The result of an executed step: `start_step` sends it, `settling` reports it.

use nofx_shared::engine::{Left, Outcome};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::drivers::Sandboxed;
use crate::step::without_nul;

/// A step that was executed.
pub(super) struct StepResult {
    pub tenant: Uuid,
    pub run: Uuid,
    pub step: Uuid,
    pub token: Uuid,
    pub outcome: Outcome,
    pub breaker_target: Option<String>,
    /// See `Executed`.
    pub inputs: Option<Value>,
    pub sandboxed: Sandboxed,
    /// What the next steps begin with, unless it is what this one began with.
    pub left: Option<Left>,
}

/// What executing a step gave.
pub(super) struct Executed {
    pub outcome: Outcome,
    /// The inputs that its handler got, secrets masked, if they are not as in the step's spec.
    pub inputs: Option<Value>,
    /// What held while its processes ran, and what they used.
    pub sandboxed: Sandboxed,
    /// See `StepResult`.
    pub left: Option<Left>,
}

impl From<Outcome> for Executed {
    /// No handler ran.
    fn from(outcome: Outcome) -> Self {
        Self { outcome, inputs: None, sandboxed: Sandboxed::default(), left: None }
    }
}

impl StepResult {
    /// About how many bytes its row has.
    pub(super) fn weight(&self) -> usize {
        let outcome = match &self.outcome {
            Outcome::Done { outputs } => weight(outputs),
            Outcome::Children { items } => items.iter().map(weight).sum(),
            Outcome::Failed(failure) | Outcome::TimedOut(failure) => failure.message.len() + weight(&failure.details),
            _ => 0,
        };
        outcome + self.inputs.as_ref().map_or(0, weight) + 200
    }

    /// The row that `settle_steps` takes, or `settle_write` for a write.
    pub(super) fn row(&self) -> Value {
        let mut row = self.outcome.row(self.step, self.token, self.breaker_target.as_deref(), self.inputs.as_ref());
        if let Some(isolation) = self.sandboxed.reported() {
            row["isolation"] = isolation;
        }
        if let Some(usage) = &self.sandboxed.usage {
            row["usage"] = json!(usage);
        }
        if let Some(left) = &self.left {
            row["tree"] = json!(left.tree);
            row["snapshot"] = json!(left.snapshot);
        }
        without_nul(row)
    }
}

fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(weight).sum::<usize>() + 2,
        Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + weight(value) + 4).sum::<usize>() + 2,
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
    }
}

#[cfg(test)]
mod tests {
    use nofx_shared::drivers::{Enforced, Level, Usage};
    use nofx_shared::engine::{Left, Outcome};
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::StepResult;
    use crate::drivers::Sandboxed;

    fn row(sandboxed: Sandboxed) -> Value {
        let outcome = Outcome::Done { outputs: json!({}) };
        StepResult {
            tenant: Uuid::nil(),
            run: Uuid::nil(),
            step: Uuid::nil(),
            token: Uuid::nil(),
            outcome,
            breaker_target: None,
            inputs: None,
            sandboxed,
            left: Some(Left { tree: "t".to_owned(), snapshot: "s".to_owned() }),
        }
        .row()
    }

    #[test]
    fn what_held_and_what_was_used_is_settled_with_the_outcome() {
        let mut sandboxed = Sandboxed::default();
        let enforced = Enforced { level: Some(Level::L2), driver: "worker-container".to_owned(), ..Enforced::default() };
        sandboxed.add(Some(&enforced), Some(Usage { cpu_ms: 12, max_rss_bytes: 4096, wall_ms: 30, ..Usage::default() }));
        let row_of_process = row(sandboxed);
        assert_eq!(row_of_process["isolation"]["level"], "L2");
        assert_eq!((&row_of_process["tree"], &row_of_process["snapshot"]), (&json!("t"), &json!("s")));
        assert_eq!(row_of_process["usage"], json!({"cpu_ms": 12, "max_rss_bytes": 4096, "wall_ms": 30}));
        let mut sandboxed = Sandboxed::default();
        sandboxed.add(None, None);
        assert_eq!(
            row(sandboxed)["isolation"],
            json!({}),
            "one ran of which nothing is known: an earlier part of the attempt says nothing for it"
        );
        let row = row(Sandboxed::default());
        assert!(row.get("isolation").is_none() && row.get("usage").is_none(), "no process ran: {row}");
    }
}
