//! A gate with its decisions, as clients get it, and the columns to read.

use chrono::{DateTime, Utc};
use nofx_shared::auth::Role;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// A barrier on a step, and how it was decided.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Gate {
    pub id: Uuid,
    pub run_id: Uuid,
    pub step_id: Uuid,
    /// `manual:…` waits for people, `gate:…` was decided by a tool.
    pub gate_type: String,
    /// pending, passed, failed, waived, expired or cancelled.
    pub status: String,
    pub question: Option<String>,
    /// Where the evidence of a tool is: the URI and the id of its artifact.
    pub evidence_uri: Option<String>,
    pub evidence_id: Option<Uuid>,
    /// What the gate of a tool was asked and what it chose itself, with its verdict: policies compare it with what they ask.
    #[schema(value_type = Option<Object>)]
    pub asked: Option<Value>,
    /// What a tool judged, and for what its verdict counts: the tree of the workspace, by git's name. Null: no workspace, or people decide.
    pub tree: Option<String>,
    /// The commit that was checked out, and whether its tree is the one that was judged.
    pub commit: Option<String>,
    pub is_clean: Option<bool>,
    /// All of the workspace that was judged, also what git does not see. Null: the checkout, or no workspace.
    pub snapshot: Option<String>,
    /// The minimum role that may decide.
    pub role: Role,
    /// How many different people must approve.
    pub approvals_required: u32,
    /// Whether the run's author may approve.
    pub author_may_approve: bool,
    /// Whether API keys may approve, in the name of their makers.
    pub keys_may_approve: bool,
    /// When the gate expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// The last approval; `decisions` has all of them.
    pub approved_by: Option<String>,
    pub approved_at: Option<DateTime<Utc>>,
    /// Who decided the gate, whichever way: a person, or the worker that ran the tool.
    pub decided_by: Option<String>,
    pub decided_at: Option<DateTime<Utc>>,
    pub reason: Option<String>,
    pub created_at: DateTime<Utc>,
    /// All decisions, oldest first.
    #[serde(default)]
    #[schema(required)]
    pub decisions: Vec<GateDecision>,
    /// The step that waits for the gate.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub step: Option<Value>,
    /// The run that the step belongs to; `pinned_commit`: the commit that its workspace began with, once a step has checked it out.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub run: Option<Value>,
}

/// The decision of one person.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct GateDecision {
    /// The person; of an API key its maker.
    pub by: String,
    /// The API key that decided in their name; null when they were signed in.
    pub key_id: Option<Uuid>,
    /// approve, reject or waive.
    pub decision: String,
    pub role: Option<Role>,
    pub reason: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// A gate with its history.
pub(crate) const COLUMNS: &str = "id,run_id,step_id,gate_type,status,question,evidence_uri,evidence_id,asked,tree,commit,is_clean,snapshot,role,\
    approvals_required,author_may_approve,keys_may_approve,expires_at,approved_by,approved_at,decided_by,decided_at,reason,created_at,decisions:gate_decision(by,key_id,decision,role,reason,created_at)";
/// The same, with the step and the run that people see before they decide.
pub(super) const COLUMNS_TO_DECIDE: &str = "id,run_id,step_id,gate_type,status,question,evidence_uri,evidence_id,asked,tree,commit,is_clean,snapshot,role,\
    approvals_required,author_may_approve,keys_may_approve,expires_at,approved_by,approved_at,decided_by,decided_at,reason,created_at,decisions:gate_decision(by,key_id,decision,role,reason,created_at),\
    step(name,tool,attempt,inputs:spec->inputs),run(goal,status,created_by,created_at,pinned_commit)";
