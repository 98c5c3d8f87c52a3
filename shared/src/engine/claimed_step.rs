//! A step as a claim hands it to a worker: by `settle_steps`, which claims too.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::StepStatus;
use crate::plan::Workspace;

/// A step that a worker holds a lease on. Executing borrows it; settling consumes it.
#[derive(Debug, Deserialize)]
pub struct ClaimedStep {
    pub id: Uuid,
    pub run_id: Uuid,
    pub tenant_id: Uuid,
    pub name: String,
    pub tool: String,
    pub attempt: u32,
    /// Since when it could run.
    pub ready_at: DateTime<Utc>,
    /// The fencing token: a settle with another one is refused.
    pub token: Uuid,
    #[serde(default)]
    pub spec: Spec,
    pub goal: String,
    pub created_by: String,
    pub workspace: Option<Workspace>,
    /// The trace of the request that created the run.
    pub traceparent: Option<String>,
    pub item: Option<Value>,
    pub index: Option<i64>,
    /// The gate that it was parked on, or that someone added before it started.
    pub gate: Option<GateDecision>,
    /// Why it may not run yet; the database decides it from policies and breakers.
    pub hold: Option<Hold>,
    /// A `for_each` step's children, once they have finished.
    pub children: Option<Vec<Child>>,
    /// Outputs and status of the steps that its expressions name.
    pub step_outputs: Option<Value>,
    /// Its outputs when it was parked on a timer.
    pub parked_outputs: Option<Value>,
    /// Private networks that it may reach.
    pub networks: Option<Vec<IpNet>>,
    /// The open breakers of its tenant: `http:…`, `provider:…`.
    pub open_breakers: Option<Vec<String>>,
}

impl ClaimedStep {
    /// Whether the tenant's breaker of this target was open when the step was claimed.
    pub fn is_breaker_open(&self, target: &str) -> bool {
        self.open_breakers.iter().flatten().any(|open| open == target)
    }
}

/// A step as the plan has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Spec {
    pub inputs: Map<String, Value>,
    pub r#if: Option<String>,
    pub for_each: Option<String>,
    pub timeout_s: Option<u64>,
    pub env: Map<String, Value>,
    pub secrets: Vec<String>,
    pub idempotency_key: Option<String>,
}

/// Why a claimed step may not run yet.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// A policy is not met: the step fails with this reason.
    Refuse(String),
    /// People must approve first.
    Approval(Approval),
    /// The breaker of this target is open.
    Breaker(String),
}

#[derive(Clone, Debug, Deserialize)]
pub struct Approval {
    /// `manual:…`
    pub gate_type: String,
}

/// A gate as the step behind it sees it.
#[derive(Clone, Debug, Deserialize)]
pub struct GateDecision {
    pub id: Uuid,
    pub gate_type: String,
    pub status: String,
    pub decided_by: Option<String>,
    pub decided_at: Option<DateTime<Utc>>,
    pub reason: Option<String>,
}

/// A child of a `for_each` step.
#[derive(Debug, Deserialize)]
pub struct Child {
    pub name: String,
    pub status: StepStatus,
    pub outputs: Option<Value>,
    pub error: Option<Value>,
}
