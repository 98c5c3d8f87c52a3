//! Every kind of event there is, and what it tells. The database writes them; a test holds each that is written against this list.
//! One that is new is added here, and in no other file of the program.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::Role;

/// A kind of event with its data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "data")]
pub enum Kind {
    #[serde(rename = "run.created")]
    RunCreated(RunCreated),
    #[serde(rename = "run.started")]
    RunStarted(RunStarted),
    #[serde(rename = "run.paused")]
    RunPaused(By),
    #[serde(rename = "run.resumed")]
    RunResumed(By),
    #[serde(rename = "run.retried")]
    RunRetried(RunRetried),
    #[serde(rename = "run.cancelling")]
    RunCancelling(RunEnded),
    #[serde(rename = "run.succeeded")]
    RunSucceeded(RunEnded),
    #[serde(rename = "run.failed")]
    RunFailed(RunEnded),
    #[serde(rename = "run.cancelled")]
    RunCancelled(RunEnded),
    #[serde(rename = "step.started")]
    StepStarted(StepStarted),
    #[serde(rename = "step.succeeded")]
    StepSucceeded(StepTold),
    #[serde(rename = "step.failed")]
    StepFailed(StepTold),
    #[serde(rename = "step.timed_out")]
    StepTimedOut(StepTold),
    #[serde(rename = "step.cancelled")]
    StepCancelled(StepTold),
    #[serde(rename = "step.skipped")]
    StepSkipped(StepTold),
    /// Parked on a timer or on its children.
    #[serde(rename = "step.waiting")]
    StepWaiting(StepTold),
    #[serde(rename = "step.retrying")]
    StepRetrying(StepTold),
    /// An open breaker keeps it from running; it costs no attempt.
    #[serde(rename = "step.shut_out")]
    StepShutOut(StepTold),
    /// Its worker ends; another has it next.
    #[serde(rename = "step.handed_back")]
    StepHandedBack(StepTold),
    /// Its worker went away.
    #[serde(rename = "step.lost")]
    StepLost(StepTold),
    #[serde(rename = "step.reopened")]
    StepReopened(StepTold),
    /// It went into the DLQ.
    #[serde(rename = "step.buried")]
    StepBuried(StepBuried),
    #[serde(rename = "gate.requested")]
    GateRequested(GateTold),
    /// One of several approvals that it needs.
    #[serde(rename = "gate.approved")]
    GateApproved(GateTold),
    #[serde(rename = "gate.decided")]
    GateDecided(GateTold),
    #[serde(rename = "gate.expired")]
    GateExpired(GateTold),
    #[serde(rename = "artifact.created")]
    ArtifactCreated(ArtifactCreated),
    #[serde(rename = "model.answered")]
    ModelAnswered(Box<ModelTold>),
    #[serde(rename = "model.failed")]
    ModelFailed(Box<ModelTold>),
    /// The run had the answer already.
    #[serde(rename = "model.replayed")]
    ModelReplayed(Box<ModelTold>),
    #[serde(rename = "api_key.minted")]
    ApiKeyMinted(ApiKeyTold),
    #[serde(rename = "api_key.revoked")]
    ApiKeyRevoked(ApiKeyTold),
    #[serde(rename = "breaker.opened")]
    BreakerOpened(BreakerTold),
    #[serde(rename = "breaker.closed")]
    BreakerClosed(BreakerTold),
    #[serde(rename = "alert.raised")]
    AlertRaised(AlertTold),
    #[serde(rename = "alert.resolved")]
    AlertResolved(AlertTold),
    /// A webhook whose signature was good.
    #[serde(rename = "webhook.received")]
    WebhookReceived(WebhookReceived),
    #[serde(rename = "hook.dead")]
    HookDead(HookTold),
    #[serde(rename = "hook.disabled")]
    HookDisabled(HookTold),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunCreated {
    pub goal: String,
    pub steps_total: u32,
    pub by: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunStarted {
    pub queued_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunRetried {
    pub by: String,
    pub reason: Option<String>,
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct By {
    pub by: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunEnded {
    pub duration_ms: Option<i64>,
    /// `{step, step_id, message}` of the step that made it fail, or `{by, message}` of who cancelled it.
    pub error: Option<Value>,
    pub by: Option<String>,
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepStarted {
    pub name: String,
    pub tool: String,
    pub attempt: u32,
    pub worker: String,
    pub ready_at: DateTime<Utc>,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepTold {
    pub name: String,
    pub tool: String,
    pub attempt: Option<u32>,
    /// `{message, details}`
    pub error: Option<Value>,
    pub waits_for: Option<String>,
    /// What shuts it out.
    pub breaker: Option<String>,
    /// When it goes on.
    pub until: Option<DateTime<Utc>>,
    /// Why it was skipped.
    pub reason: Option<Value>,
    pub worker: Option<String>,
    pub by: Option<String>,
    pub gate_id: Option<Uuid>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepBuried {
    pub dlq_id: Uuid,
    pub name: String,
    pub tool: String,
    /// `exhausted` or `poison`
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateTold {
    pub gate_id: Uuid,
    pub kind: Option<String>,
    pub status: Option<String>,
    pub question: Option<String>,
    pub by: Option<String>,
    pub reason: Option<String>,
    pub approvals: Option<u32>,
    pub needed: Option<u32>,
    /// Path of the evidence.
    pub evidence: Option<Value>,
    /// The step that asks.
    pub name: Option<String>,
    pub tool: Option<String>,
    pub attempt: Option<u32>,
    pub waits_for: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArtifactCreated {
    pub artifact_id: Uuid,
    pub name: String,
    pub media_type: String,
    pub size_bytes: u64,
    pub hash: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelTold {
    pub call_id: Uuid,
    pub task: Option<String>,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub latency_ms: Option<u64>,
    pub input_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
    pub cached_tokens: Option<u64>,
    pub reasoning_tokens: Option<u64>,
    pub cost_usd: Option<f64>,
    pub cache_hit: Option<bool>,
    /// Candidates that were tried in vain: `{provider, model, class, why}`.
    pub fallbacks: Option<Value>,
    pub error: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyTold {
    pub id: Uuid,
    pub name: Option<String>,
    pub role: Option<Role>,
    pub by: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakerTold {
    /// A tool, `http:<host>` or `provider:<name>`.
    pub target: String,
    pub error: Option<String>,
    pub by: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertTold {
    pub alert_id: Uuid,
    pub kind: String,
    pub value: Option<f64>,
    pub threshold: f64,
    pub lasted_s: Option<u64>,
    /// Where the alert is.
    pub link: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookReceived {
    pub source_id: Uuid,
    pub source: String,
    pub provider: String,
    /// The sender's id of it.
    pub id: String,
    /// What the sender calls it.
    pub kind: Option<String>,
    pub body: Value,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HookTold {
    pub hook_id: Uuid,
    pub name: String,
    pub delivery_id: Option<Uuid>,
    pub reason: String,
}
