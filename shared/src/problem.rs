//! The catalogue of problems: why requests are refused. Knows no HTTP: `api/_lib/http/problem.rs`
//! gives each kind its status.

use serde::{Deserialize, Serialize};

/// One thing that is wrong with an input, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Fault {
    /// JSON pointer (RFC 6901) into the input.
    pub pointer: String,
    pub detail: String,
}

impl Fault {
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident => $slug:literal, $title:literal;)*) => {
        /// What kind of problem it is. The slug is what the database raises and what the `type` URI ends in.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            pub fn slug(self) -> &'static str {
                match self { $(Self::$kind => $slug,)* }
            }

            pub fn title(self) -> &'static str {
                match self { $(Self::$kind => $title,)* }
            }

            pub fn from_slug(slug: &str) -> Option<Self> {
                match slug { $($slug => Some(Self::$kind),)* _ => None }
            }
        }
    };
}

kinds! {
    AlreadyApproved => "already-approved", "You have already approved this gate";
    ApiKeyNotFound => "api-key-not-found", "API key not found";
    AppendOnly => "append-only", "The audit log is append-only";
    ArtifactNotFound => "artifact-not-found", "Artifact not found";
    BlobDeleting => "blob-deleting", "The artifact's content is being deleted";
    BodyTooLarge => "body-too-large", "The body is too large";
    Cycle => "cycle", "Dependency cycle";
    DbWriteRuleNotFound => "db-write-rule-not-found", "DB write rule not found";
    DeliveryNotFound => "delivery-not-found", "Delivery not found";
    DuplicateName => "duplicate-name", "Step names must be unique";
    EmptyPlan => "empty-plan", "The plan has no steps";
    Forbidden => "forbidden", "Not allowed";
    GateDecided => "gate-decided", "The gate has already been decided";
    GateExpired => "gate-expired", "The gate has expired";
    GateNotFound => "gate-not-found", "Gate not found";
    GatePolicyNotFound => "gate-policy-not-found", "Gate policy not found";
    HookDenied => "hook-denied", "Denied by a pre-request hook";
    HookNotFound => "hook-not-found", "Hook not found";
    IdTaken => "id-taken", "The id is taken";
    IdempotencyKeyReused => "idempotency-key-reused", "Idempotency key reused with a different request";
    IllegalTransition => "illegal-transition", "Invalid status transition";
    Internal => "internal", "Internal error";
    InvalidAlertRule => "invalid-alert-rule", "Invalid alert rule";
    InvalidBreaker => "invalid-breaker", "Invalid breaker settings";
    InvalidDbWriteRule => "invalid-db-write-rule", "Invalid `db_write` rule";
    InvalidGatePolicy => "invalid-gate-policy", "Invalid gate policy";
    InvalidHook => "invalid-hook", "Invalid hook";
    InvalidPlan => "invalid-plan", "Invalid plan";
    InvalidRequest => "invalid-request", "Invalid request";
    InvalidRetention => "invalid-retention", "Invalid retention";
    InvalidSettings => "invalid-settings", "Invalid settings";
    InvalidWrite => "invalid-write", "Invalid write";
    LeaseExpired => "lease-expired", "No valid lease";
    LegalHold => "legal-hold", "Under a legal hold";
    LegalHoldNotFound => "legal-hold-not-found", "Legal hold not found";
    NotFound => "not-found", "Not found";
    QuotaExceeded => "quota-exceeded", "Tenant quota exceeded";
    RateLimited => "rate-limited", "Too many requests";
    ReasonRequired => "reason-required", "A reason is required";
    RequestInProgress => "request-in-progress", "A request with this idempotency key is in progress";
    RunFinished => "run-finished", "The run has finished";
    RunNotFailed => "run-not-failed", "The run has not failed";
    RunNotFound => "run-not-found", "Run not found";
    SelfApproval => "self-approval", "You cannot approve your own run";
    StepNotFound => "step-not-found", "Step not found";
    StepStarted => "step-started", "The step has already started";
    TimedOut => "timed-out", "Request timed out";
    TooManyChildren => "too-many-children", "Too many children";
    Unauthorized => "unauthorized", "Authentication required";
    Unavailable => "unavailable", "Service unavailable";
    UnknownDecision => "unknown-decision", "Unknown decision";
    UnknownGateType => "unknown-gate-type", "Unknown gate type";
    UnknownNeed => "unknown-need", "Unknown step in `needs`";
    UnknownTenant => "unknown-tenant", "Tenant not found";
    UnsupportedEncoding => "unsupported-encoding", "Content-Encoding is not supported";
    WebhookSourceNotFound => "webhook-source-not-found", "Webhook source not found";
    WriteNotAllowed => "write-not-allowed", "The table's rule does not allow this write";
}

/// A refusal as the client sees it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}: {detail}", kind.slug())]
pub struct Problem {
    pub kind: Kind,
    pub detail: String,
    pub faults: Vec<Fault>,
    /// When to retry, if known.
    pub retry_after_s: Option<u32>,
}

impl Problem {
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), faults: vec![], retry_after_s: None }
    }

    pub fn with_faults(mut self, faults: Vec<Fault>) -> Self {
        self.faults = faults;
        self
    }
}
