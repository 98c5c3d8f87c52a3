//! The catalogue of problems: what a client is told when something is refused. Knows no HTTP: `api/_lib/http/problem.rs`
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
    AlreadyApproved => "already-approved", "You have approved it";
    ApiKeyNotFound => "api-key-not-found", "No such API key";
    AppendOnly => "append-only", "The record stays";
    ArtifactNotFound => "artifact-not-found", "No such artifact";
    BlobGoing => "blob-going", "The bytes are being removed";
    BodyTooLarge => "body-too-large", "The body is too large";
    Cycle => "cycle", "The steps need each other";
    DeliveryNotFound => "delivery-not-found", "No such delivery";
    DuplicateName => "duplicate-name", "Two steps have one name";
    EmptyPlan => "empty-plan", "The plan has no steps";
    Forbidden => "forbidden", "Not allowed";
    GateDecided => "gate-decided", "The gate is decided";
    GateExpired => "gate-expired", "The gate has expired";
    GateNotFound => "gate-not-found", "No such gate";
    HookNotFound => "hook-not-found", "No such hook";
    IdTaken => "id-taken", "The id is taken";
    IdempotencyKeyReused => "idempotency-key-reused", "The key was used for another request";
    IllegalTransition => "illegal-transition", "That change of state is not allowed";
    Internal => "internal", "Something failed on our side";
    InvalidAlertRule => "invalid-alert-rule", "The threshold is not valid";
    InvalidBreaker => "invalid-breaker", "The breaker is not valid";
    InvalidHook => "invalid-hook", "The hook is not valid";
    InvalidPlan => "invalid-plan", "The plan is not valid";
    InvalidPolicy => "invalid-policy", "The policy is not valid";
    InvalidRule => "invalid-rule", "The rule is not valid";
    InvalidSettings => "invalid-settings", "The settings are not valid";
    InvalidWrite => "invalid-write", "The write is not valid";
    InvalidRequest => "invalid-request", "The request is not valid";
    NotFound => "not-found", "Nothing is here";
    OutsideRule => "outside-rule", "The rule does not allow it";
    OwnRun => "own-run", "It is your own run";
    PolicyNotFound => "policy-not-found", "No such policy";
    QuotaExceeded => "quota-exceeded", "The tenant's quota is used up";
    RateLimited => "rate-limited", "Too many requests";
    ReasonRequired => "reason-required", "Say why";
    RequestInProgress => "request-in-progress", "The first request is still at work";
    RuleNotFound => "rule-not-found", "No such rule";
    RunIsOver => "run-is-over", "The run is over";
    RunNotFailed => "run-not-failed", "The run has not failed";
    RunNotFound => "run-not-found", "No such run";
    StepHasStarted => "step-has-started", "The step has started";
    StepNotFound => "step-not-found", "No such step";
    TooManyChildren => "too-many-children", "Too many children";
    TimedOut => "timed-out", "It took too long";
    Unauthorized => "unauthorized", "Who are you?";
    Unavailable => "unavailable", "The database does not answer";
    UnknownDecision => "unknown-decision", "No such decision";
    UnknownKind => "unknown-kind", "No such kind of gate";
    UnknownNeed => "unknown-need", "A step needs an unknown step";
    UnknownTenant => "unknown-tenant", "No such tenant";
    UnsupportedEncoding => "unsupported-encoding", "The body is encoded";
    Vetoed => "vetoed", "A hook said no";
}

/// A refusal as the client sees it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}: {detail}", kind.slug())]
pub struct Problem {
    pub kind: Kind,
    pub detail: String,
    pub faults: Vec<Fault>,
    /// When to come again, if anybody knows.
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
