//! Rate limits of credentials, tenants and addresses. `local` limits this process without a call; `shared` counts for all processes.
//! `api/http/rate_limit` decides when to check them.

mod headers;
mod local;
mod policy;
mod shared;

use std::time::Duration;

pub use headers::{policy_header, state_header};
pub use policy::{LimitCheck, Policy, checks_for};

use crate::db::Db;
use crate::settings;

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

/// All limits of a process.
pub struct Limits {
    settings: settings::Limits,
    local: local::Local,
    shared: shared::Shared,
}

impl Limits {
    /// `service` is the database as the service role: all processes count there, unless the settings name an Upstash Redis.
    pub fn new(settings: settings::Limits, service: Db) -> Self {
        let shared = shared::Shared::new(settings.upstash.clone(), service);
        Self { settings, local: local::Local::default(), shared }
    }

    pub fn settings(&self) -> &settings::Limits {
        &self.settings
    }

    /// Takes one request of each of these limits. If the shared count is unavailable, the local one decides.
    pub async fn take(&self, checks: &[LimitCheck]) -> RateLimitDecision {
        for check in checks {
            if let Some(wait) = self.local.wait(check) {
                self.shared.record_rejection(check, wait);
                return RateLimitDecision::Refused(LimitState { policy: check.policy, remaining: 0, reset: wait });
            }
        }
        self.shared.take(checks).await
    }

    /// Whether a limit is used up, without taking of it.
    pub fn is_used_up(&self, check: &LimitCheck) -> Option<LimitState> {
        self.shared.is_used_up(check)
    }
}
