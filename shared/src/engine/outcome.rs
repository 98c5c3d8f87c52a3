//! What came of executing a step, as `settle_steps` takes it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub message: String,
    /// Whether another attempt may do better.
    #[serde(skip)]
    pub transient: bool,
    /// Wait before that attempt, instead of the step's backoff.
    #[serde(skip)]
    pub wait_ms: Option<u64>,
    /// Whether it is the step's own doing: a script that ends with an error tells nothing of the tool that ran it.
    #[serde(skip)]
    pub own: bool,
    /// What else is known, for people: exit code, status, evidence.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub details: Value,
}

/// What came of a step.
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
    /// Shut out by the breaker of this target, without an attempt.
    Shut {
        target: String,
    },
    /// Stopped before its end: its run is being cancelled, or another worker has it next.
    Stopped,
    /// Parked until a person decides.
    Gate {
        kind: String,
        question: Option<String>,
    },
    /// Rows to write with the settle, in its transaction.
    Write {
        write: Value,
    },
    /// Parked until an instant; it then goes on with `outputs` as it left them.
    Timer {
        wait_ms: u64,
    },
    /// Parked until its children are at an end: one for each item.
    Children {
        items: Vec<Value>,
    },
}

impl Outcome {
    /// What it is called in measures.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Done { .. } | Self::Write { .. } => "succeeded",
            Self::Skipped { .. } => "skipped",
            Self::Failed(failure) if failure.transient => "failed_for_now",
            Self::Failed(_) => "failed",
            Self::TimedOut(_) => "timed_out",
            Self::Gate { .. } | Self::Timer { .. } | Self::Children { .. } => "parked",
            Self::Shut { .. } => "shut_out",
            Self::Stopped => "stopped",
        }
    }

    /// The row that `settle_steps` takes; `provider` is what the step depended on outside.
    pub fn row(&self, step: Uuid, token: Uuid, provider: Option<&str>) -> Value {
        let mut row = match self {
            Self::Done { outputs } => json!({"kind": "done", "outputs": outputs}),
            Self::Skipped { reason } => json!({"kind": "skipped", "outputs": {"reason": reason}}),
            Self::Failed(failure) => failure.row("failed"),
            Self::TimedOut(failure) => failure.row("timed_out"),
            Self::Shut { target } => json!({"kind": "shut", "provider": target}),
            Self::Stopped => json!({"kind": "stopped", "error": {"message": "stopped while running"}}),
            Self::Gate { kind, question } => json!({"kind": "gate", "gate": {"kind": kind, "question": question}}),
            Self::Write { write } => json!({"kind": "write", "outputs": write}),
            Self::Timer { wait_ms } => json!({"kind": "timer", "wait_ms": wait_ms, "outputs": {"timer": "set"}}),
            Self::Children { items } => json!({"kind": "children", "children": items}),
        };
        row["step_id"] = json!(step);
        row["token"] = json!(token);
        if let Some(provider) = provider {
            row["provider"] = json!(provider);
        }
        row
    }
}

impl Failure {
    pub fn permanent(message: impl Into<String>) -> Self {
        Self { message: message.into(), transient: false, wait_ms: None, own: false, details: Value::Null }
    }

    pub fn transient(message: impl Into<String>) -> Self {
        Self { transient: true, ..Self::permanent(message) }
    }

    pub fn with_details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    /// The step's own doing.
    pub fn of_its_own(self) -> Self {
        Self { own: true, ..self }
    }

    fn row(&self, kind: &str) -> Value {
        json!({"kind": kind, "error": self, "transient": self.transient, "wait_ms": self.wait_ms, "own": self.own})
    }
}
