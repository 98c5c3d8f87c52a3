//! The cooldowns of candidates.
//!
//! A candidate that is rate limited or fails cools down for all steps of the worker; the next one is called meanwhile. When all cool down,
//! the call waits for the first to be available, as long as the step's timeout allows: see `fallback`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::candidates::Candidate;
use super::provider_error::ProviderError;

/// Concurrent calls of one provider.
const MAX_CONCURRENT: usize = 16;
/// Cooldown when the provider names none.
const DEFAULT_COOLDOWN: Duration = Duration::from_secs(5);
/// Failures in a row that start a cooldown.
const FAILURE_THRESHOLD: u32 = 3;

/// The state of all candidates, shared by the steps of the worker.
#[derive(Default)]
pub(super) struct Cooldowns {
    candidates: Mutex<HashMap<String, State>>,
    permits: Mutex<HashMap<&'static str, Arc<Semaphore>>>,
}

#[derive(Clone, Copy, Default)]
struct State {
    failures: u32,
    until: Option<Instant>,
}

impl Cooldowns {
    /// Limits the concurrent calls of a provider.
    pub(super) fn permits(&self, provider: &'static str) -> Arc<Semaphore> {
        let mut permits = self.permits.lock().expect("the lock is never poisoned");
        Arc::clone(permits.entry(provider).or_insert_with(|| Arc::new(Semaphore::new(MAX_CONCURRENT))))
    }

    /// The end of a candidate's cooldown, if it has one.
    pub(super) fn cooldown_until(&self, candidate: &Candidate) -> Option<Instant> {
        let candidates = self.candidates.lock().expect("the lock is never poisoned");
        candidates.get(&candidate.name())?.until.filter(|until| *until > Instant::now())
    }

    pub(super) fn succeeded(&self, candidate: &Candidate) {
        self.candidates.lock().expect("the lock is never poisoned").remove(&candidate.name());
    }

    pub(super) fn failed(&self, candidate: &Candidate, error: &ProviderError) {
        let mut candidates = self.candidates.lock().expect("the lock is never poisoned");
        let state = candidates.entry(candidate.name()).or_default();
        match error {
            ProviderError::RateLimited { wait, .. } => state.until = Some(Instant::now() + wait.unwrap_or(DEFAULT_COOLDOWN)),
            ProviderError::Unavailable(_) | ProviderError::Truncated(_) => {
                state.failures += 1;
                if state.failures >= FAILURE_THRESHOLD {
                    state.until = Some(Instant::now() + DEFAULT_COOLDOWN);
                }
            }
            // The candidate works.
            ProviderError::ContentFiltered(_) | ProviderError::InvalidRequest(_) => {}
        }
    }
}
