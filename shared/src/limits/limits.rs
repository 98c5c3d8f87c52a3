//! The limits of a process, in two stages: first without a call, then with what all processes share.

use super::local::Local;
use super::shared::Shared;
use super::{LimitCheck, LimitState, RateLimitDecision};
use crate::db::Db;
use crate::settings;

/// All limits of a process.
pub struct Limits {
    settings: settings::Limits,
    local: Local,
    shared: Shared,
}

impl Limits {
    /// `service` is the database as the service role: all processes count there, unless the settings name an Upstash Redis.
    pub fn new(settings: settings::Limits, service: Db) -> Self {
        let shared = Shared::new(settings.upstash.clone(), service);
        Self { settings, local: Local::default(), shared }
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

    /// Whether a limit is used up, without using any of it.
    pub fn is_used_up(&self, check: &LimitCheck) -> Option<LimitState> {
        self.shared.is_used_up(check)
    }
}
