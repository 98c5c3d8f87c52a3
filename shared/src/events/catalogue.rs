//! The catalogue of events: every type with its data. The database writes them; a test compares each one that it writes with this list.
//! A new type is added here and in no other Rust file.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::Role;
use crate::drivers::Destination;

/// The names are known without the schema, which is large.
macro_rules! event_types {
    ($($(#[$words:meta])* $event:ident($data:ty) => $name:literal;)*) => {
        /// The type of an event, with its data.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "type", content = "data")]
        pub enum EventType {
            $($(#[$words])* #[serde(rename = $name)] $event($data),)*
        }

        impl EventType {
            /// The names of all types: an event stream names its messages by them.
            pub const ALL: &[&str] = &[$($name),*];
        }
    };
}

/// The data of an event has no fields but those that are named here.
macro_rules! event_data {
    ($($data:item)*) => {
        $(
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
            #[serde(deny_unknown_fields)]
            $data
        )*
    };
}

event_types! {
    RunCreated(RunCreated) => "run.created";
    RunStarted(RunStarted) => "run.started";
    RunPaused(ActorData) => "run.paused";
    RunResumed(ActorData) => "run.resumed";
    RunRetried(RunRetried) => "run.retried";
    RunCancelling(RunEnded) => "run.cancelling";
    RunSucceeded(RunEnded) => "run.succeeded";
    RunFailed(RunEnded) => "run.failed";
    RunCancelled(RunEnded) => "run.cancelled";
    /// Any worker may claim the step. A step that a worker starts in the call that settled the last of its needs has only `step.started`.
    StepReady(StepReady) => "step.ready";
    StepStarted(StepStarted) => "step.started";
    StepSucceeded(StepData) => "step.succeeded";
    StepFailed(StepData) => "step.failed";
    StepTimedOut(StepData) => "step.timed_out";
    StepCancelled(StepData) => "step.cancelled";
    StepSkipped(StepData) => "step.skipped";
    /// The step waits for a timer, its children, an open breaker or its tenant's quota; `waits_for` says which.
    StepWaiting(StepData) => "step.waiting";
    StepRetryScheduled(StepData) => "step.retry_scheduled";
    /// The worker of the step shut down, or could not reach the database until the lease ended; another one runs the step again.
    StepInterrupted(StepData) => "step.interrupted";
    /// The lease of the step expired: the worker crashed or was unreachable.
    StepLeaseExpired(StepData) => "step.lease_expired";
    StepReopened(StepData) => "step.reopened";
    /// The step was dead-lettered.
    StepDeadLettered(StepDeadLettered) => "step.dead_lettered";
    GateRequested(GateData) => "gate.requested";
    /// One of several required approvals.
    GateApprovalAdded(GateData) => "gate.approval_added";
    GateDecided(GateData) => "gate.decided";
    GateExpired(GateData) => "gate.expired";
    /// A gate is not shown at the pull request: nothing proves its verdict of that commit of that repository.
    CheckRefused(CheckRefused) => "check.refused";
    ArtifactCreated(ArtifactCreated) => "artifact.created";
    /// What the processes of an attempt used.
    SandboxUsed(SandboxUsed) => "sandbox.used";
    ModelAnswered(Box<ModelCallData>) => "model.answered";
    ModelFailed(Box<ModelCallData>) => "model.failed";
    /// The response of an earlier call was reused.
    ModelReplayed(Box<ModelCallData>) => "model.replayed";
    ApiKeyCreated(ApiKeyData) => "api_key.created";
    ApiKeyRevoked(ApiKeyData) => "api_key.revoked";
    BreakerOpened(BreakerData) => "breaker.opened";
    BreakerClosed(BreakerData) => "breaker.closed";
    AlertRaised(AlertData) => "alert.raised";
    AlertResolved(AlertData) => "alert.resolved";
    /// A batch of what was past its retention was deleted.
    HistoryPruned(HistoryPruned) => "history.pruned";
    /// A webhook with a valid signature.
    WebhookReceived(WebhookReceived) => "webhook.received";
    HookDeliveryFailed(HookData) => "hook.delivery_failed";
    HookDisabled(HookData) => "hook.disabled";
}

event_data! {
    pub struct RunCreated {
        pub goal: String,
        pub steps_total: u32,
        pub by: String,
    }

    pub struct RunStarted {
        pub queued_ms: i64,
    }

    pub struct RunRetried {
        pub by: String,
        pub reason: Option<String>,
    }

    /// Who did it.
    pub struct ActorData {
        pub by: String,
    }

    pub struct RunEnded {
        pub duration_ms: Option<i64>,
        /// `{step, step_id, message}` of the step that made the run fail, or `{by, message}` of who cancelled it.
        pub error: Option<Value>,
        pub by: Option<String>,
        pub reason: Option<String>,
    }

    pub struct StepReady {
        pub name: String,
        pub tool: String,
        /// The number of the attempt that can begin.
        pub attempt: u32,
    }

    pub struct StepStarted {
        pub name: String,
        pub tool: String,
        pub attempt: u32,
        pub worker: String,
        pub ready_at: DateTime<Utc>,
    }

    /// The new state of a step.
    pub struct StepData {
        pub name: String,
        pub tool: String,
        pub attempt: Option<u32>,
        /// `{message, details}`
        pub error: Option<Value>,
        pub waits_for: Option<String>,
        /// The open breaker.
        pub breaker: Option<String>,
        /// The quota that the step waits for: `parallel_sandboxes`.
        pub quota: Option<String>,
        /// When the step continues.
        pub until: Option<DateTime<Utc>>,
        /// Why the step was skipped.
        pub reason: Option<Value>,
        pub worker: Option<String>,
        pub by: Option<String>,
        pub gate_id: Option<Uuid>,
    }

    pub struct StepDeadLettered {
        pub dlq_id: Uuid,
        pub name: String,
        pub tool: String,
        /// `exhausted` or `poison`
        pub reason: String,
    }

    pub struct CheckRefused {
        pub repository: String,
        pub head_sha: String,
        pub reason: String,
    }

    pub struct GateData {
        pub gate_id: Uuid,
        pub gate_type: Option<String>,
        pub status: Option<String>,
        pub question: Option<String>,
        pub by: Option<String>,
        pub reason: Option<String>,
        /// approve or waive, of one decision of several.
        pub decision: Option<String>,
        /// Those who have approved or waived.
        pub approvals: Option<u32>,
        pub approvals_required: Option<u32>,
        /// The URI of the evidence's artifact.
        pub evidence_uri: Option<String>,
        /// What a tool judged, as git names it.
        pub tree: Option<String>,
        /// The step that the gate belongs to.
        pub name: Option<String>,
        pub tool: Option<String>,
        pub attempt: Option<u32>,
        pub waits_for: Option<String>,
    }

    pub struct ArtifactCreated {
        pub artifact_id: Uuid,
        pub name: String,
        /// Its media type.
        pub r#type: String,
        pub uri: String,
        pub size_bytes: u64,
        /// `sha256:<hex>` of its bytes.
        pub hash: String,
    }

    pub struct ModelCallData {
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
        /// Candidates that failed: `{provider, model, class, why}`.
        pub fallbacks: Option<Value>,
        pub error: Option<String>,
    }

    pub struct ApiKeyData {
        pub id: Uuid,
        pub name: Option<String>,
        pub role: Option<Role>,
        pub by: String,
    }

    pub struct BreakerData {
        /// A tool, `http:<host>` or `provider:<name>`.
        pub target: String,
        pub error: Option<String>,
        pub by: Option<String>,
    }

    pub struct AlertData {
        pub alert_id: Uuid,
        pub kind: String,
        /// `high`, `normal` or `low` for the steps of a priority, `dlq`, the target of a breaker, or the id of a gate.
        pub subject: String,
        pub value: Option<f64>,
        pub threshold: f64,
        pub lasted_s: Option<u64>,
        /// The page that shows the alert, or its gate.
        pub link: String,
        /// Of an approval that waits too long, as the following.
        pub gate_id: Option<Uuid>,
        pub gate_type: Option<String>,
        /// The minimum role to decide.
        pub role: Option<Role>,
        pub approvals: Option<u32>,
        pub approvals_required: Option<u32>,
        pub author_may_approve: Option<bool>,
        /// Addresses of people who could decide, at most 20.
        pub people: Option<Vec<String>>,
    }

    pub struct SandboxUsed {
        pub name: String,
        pub tool: String,
        /// Where they ran; null when the driver reported nothing.
        pub driver: Option<String>,
        /// The isolation that held: `L1` to `L4`.
        pub level: Option<String>,
        pub cpu_ms: u64,
        /// Peak memory of the largest process.
        pub max_rss_bytes: u64,
        pub wall_ms: u64,
        /// From and to disks, as far as the driver knows.
        pub read_bytes: u64,
        pub written_bytes: u64,
        /// In millionths of a USD.
        pub cost_micro_usd: u64,
        /// What is wrong with the usage that was reported: it counts nothing.
        pub refused: Option<String>,
        /// What they reached, or tried to, through the egress proxy.
        pub destinations: Vec<Destination>,
    }

    pub struct HistoryPruned {
        /// `runs`, `model_calls`, `artifacts`, `alerts` or `events`
        pub what: String,
        pub count: u32,
        /// The beginning of the retention.
        pub before: DateTime<Utc>,
    }

    pub struct WebhookReceived {
        pub source_id: Uuid,
        pub source: String,
        pub provider: String,
        /// The sender's id of the webhook.
        pub id: String,
        /// The sender's name for the event.
        pub kind: Option<String>,
        pub body: Value,
    }

    pub struct HookData {
        pub hook_id: Uuid,
        pub name: String,
        pub delivery_id: Option<Uuid>,
        pub reason: String,
    }
}
