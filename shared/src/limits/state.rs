//! The state of a limit after a request was counted: how much is left, and whether the request may pass.

use std::time::Duration;

use super::Policy;

/// How much is left of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitState {
    pub policy: Policy,
    pub remaining: u32,
    /// Time until the window ends.
    pub reset: Duration,
}

/// Whether a request may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateLimitDecision {
    /// With the limit of which the smallest share is left; none when nothing is limited.
    Allowed(Option<LimitState>),
    /// Because of this limit.
    Refused(LimitState),
}
