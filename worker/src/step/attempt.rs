//! An attempt as a tool sees it that needs nothing of a worker's machine: a function that executes steps makes it, too.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use ipnet::IpNet;
use nofx_shared::engine::{ClaimedStep, Outcome};
use nofx_shared::net;

pub(crate) struct Attempt<'a> {
    pub step: &'a ClaimedStep,
    /// Has the secrets that the step names.
    pub env: &'a BTreeMap<String, String>,
    /// The step's `idempotency_key`, its expressions resolved: for calls of other systems.
    pub idempotency_key: Option<&'a str>,
    /// Whether it may call private addresses that the tenant was not allowed.
    pub allow_private_addresses: bool,
    /// The attempt's result counts for the breaker of this target: see `check_breaker`.
    pub breaker_target: &'a OnceLock<String>,
}

impl Attempt<'_> {
    /// Private networks that it may reach.
    pub(crate) fn networks(&self) -> Vec<IpNet> {
        if self.allow_private_addresses { net::everywhere() } else { self.step.networks.clone().unwrap_or_default() }
    }

    /// Names the breaker target of the step: `http:api.example.com`. The step's result counts for its breaker. When the breaker is open,
    /// the handler must return this outcome.
    pub(crate) fn check_breaker(&self, target: &str) -> Option<Outcome> {
        drop(self.breaker_target.set(target.to_owned()));
        self.step.is_breaker_open(target).then(|| Outcome::BreakerOpen { target: target.to_owned() })
    }
}
