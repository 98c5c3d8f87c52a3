//! Rate limits: what a credential, a tenant and an address may ask for. `local` is the first line, in this process and without a call;
//! `shared` is the truth that all processes count in. What a limit protects is decided here, when it is asked by `api/http/rate_limit`.

mod headers;
mod local;
mod policy;
mod shared;

use std::time::Duration;

pub use headers::{policy_header, state_header};
pub use policy::{Asked, Policy, checks_for};

use crate::db::Db;
use crate::settings;

/// What is left of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub policy: Policy,
    pub remaining: u32,
    /// Until when the window ends.
    pub reset: Duration,
}

/// Whether a request may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may; this limit is the nearest to its end. None when nothing is limited.
    Allowed(Option<Standing>),
    /// It may not, because of this limit.
    Refused(Standing),
}

/// All limits of a process.
pub struct Limits {
    settings: settings::Limits,
    local: local::Local,
    shared: shared::Shared,
}

impl Limits {
    /// `service` is the database as the service role: where all processes count, unless the settings name an Upstash Redis.
    pub fn new(settings: settings::Limits, service: Db) -> Self {
        let shared = shared::Shared::new(settings.upstash.clone(), service);
        Self { settings, local: local::Local::default(), shared }
    }

    pub fn settings(&self) -> &settings::Limits {
        &self.settings
    }

    /// Takes one request of each of these limits. Where the shared count cannot be asked the local one decides.
    pub async fn take(&self, asked: &[Asked]) -> Verdict {
        for one in asked {
            if let Some(wait) = self.local.refuses(one) {
                self.shared.record_rejection(one, wait);
                return Verdict::Refused(Standing { policy: one.policy, remaining: 0, reset: wait });
            }
        }
        self.shared.take(asked).await
    }

    /// Whether a limit is used up, without taking of it.
    pub fn is_used_up(&self, asked: &Asked) -> Option<Standing> {
        self.shared.is_used_up(asked)
    }
}
