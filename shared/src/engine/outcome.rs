//! The outcome of executing a step, as `settle_steps` takes it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub message: String,
    /// Whether another attempt may succeed.
    #[serde(skip)]
    pub transient: bool,
    /// Wait before that attempt, instead of the step's backoff.
    #[serde(skip)]
    pub wait_ms: Option<u64>,
    /// Whether the failure is ignored by all breakers: a script that exits with an error says nothing about the tool that ran it.
    #[serde(skip)]
    pub ignored_by_breaker: bool,
    /// Further details, for people: exit code, status, evidence.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub details: Value,
}

/// The outcome of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done {
        outputs: Value,
    },
    /// Its condition is false.
    Skipped {
        reason: String,
    },
    Failed(Failure),
    TimedOut(Failure),
    /// Not attempted: the breaker of this target is open.
    BreakerOpen {
        target: String,
    },
    /// Its run is being cancelled, or its worker shuts down and another one runs it again.
    Interrupted,
    /// Its worker could not extend its lease in time and stopped it, since another one may run it. Whatever its result was, it does not count.
    Fenced,
    /// Parked until a person decides.
    Gate {
        gate_type: String,
        question: Option<String>,
    },
    /// Rows to write with the settle, in its transaction: `settle_write` does both.
    Write {
        write: Value,
    },
    /// Parked on a timer; it then continues with these `outputs`.
    Timer {
        wait_ms: u64,
    },
    /// Parked until its children have finished: one for each item.
    Children {
        items: Vec<Value>,
    },
}

impl Outcome {
    /// The name in metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Done { .. } | Self::Write { .. } => "succeeded",
            Self::Skipped { .. } => "skipped",
            Self::Failed(failure) if failure.transient => "failed_transient",
            Self::Failed(_) => "failed",
            Self::TimedOut(_) => "timed_out",
            Self::Gate { .. } | Self::Timer { .. } | Self::Children { .. } => "parked",
            Self::BreakerOpen { .. } => "breaker_open",
            Self::Interrupted => "interrupted",
            Self::Fenced => "fenced",
        }
    }

    /// The row that `settle_steps` takes, or `settle_write` for a write; `breaker_target` is the external service that the step called, `inputs` are those of the attempt,
    /// secrets masked, if they are not as in the step's spec.
    pub fn row(&self, step: Uuid, token: Uuid, breaker_target: Option<&str>, inputs: Option<&Value>) -> Value {
        let mut row = match self {
            Self::Done { outputs } => json!({"kind": "done", "outputs": outputs}),
            Self::Skipped { reason } => json!({"kind": "skipped", "outputs": {"reason": reason}}),
            Self::Failed(failure) => failure.row("failed"),
            Self::TimedOut(failure) => failure.row("timed_out"),
            Self::BreakerOpen { target } => json!({"kind": "breaker_open", "breaker_target": target}),
            Self::Interrupted => json!({"kind": "interrupted", "error": {"message": "interrupted while running"}}),
            Self::Fenced => json!({"kind": "interrupted", "error": {
                "message": "its worker could not reach the database until the lease ended, and had stopped it by then"}}),
            Self::Gate { gate_type, question } => json!({"kind": "gate", "gate": {"gate_type": gate_type, "question": question}}),
            Self::Write { write } => json!({"outputs": write}),
            Self::Timer { wait_ms } => json!({"kind": "timer", "wait_ms": wait_ms, "outputs": {"timer": "set"}}),
            Self::Children { items } => json!({"kind": "children", "children": items}),
        };
        row["step_id"] = json!(step);
        row["token"] = json!(token);
        if let Some(target) = breaker_target {
            row["breaker_target"] = json!(target);
        }
        if let Some(inputs) = inputs {
            row["inputs"] = inputs.clone();
        }
        row
    }
}

impl Failure {
    pub fn permanent(message: impl Into<String>) -> Self {
        Self { message: message.into(), transient: false, wait_ms: None, ignored_by_breaker: false, details: Value::Null }
    }

    pub fn transient(message: impl Into<String>) -> Self {
        Self { transient: true, ..Self::permanent(message) }
    }

    /// The step's lease expired while it ran: its result does not count, and another attempt may have begun.
    pub fn lease_expired() -> Self {
        Self::transient("the lease expired")
    }

    /// The step was stopped before it had a result.
    pub fn interrupted() -> Self {
        Self::transient("the step was stopped")
    }

    pub fn with_details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    /// The same failure, ignored by all breakers.
    pub fn ignored_by_breaker(self) -> Self {
        Self { ignored_by_breaker: true, ..self }
    }

    fn row(&self, kind: &str) -> Value {
        json!({
            "kind": kind, "error": self, "transient": self.transient, "wait_ms": self.wait_ms,
            "ignored_by_breaker": self.ignored_by_breaker,
        })
    }
}
