//! The leases that this worker holds. How long each is valid, the database decides: this only extends them in time, and stops steps whose
//! lease has expired.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use nofx_shared::db::Db;
use nofx_shared::engine;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::metrics::Metrics;

/// Younger leases are not extended: most of their steps finish before that.
const MIN_AGE: Duration = Duration::from_millis(500);

#[derive(Default)]
pub(super) struct Leases {
    by_step: HashMap<Uuid, Lease>,
}

struct Lease {
    token: Uuid,
    claimed_at: Instant,
    /// Stops the step: its lease has expired, its run is being cancelled, or the worker shuts down.
    stop: CancellationToken,
}

impl Leases {
    pub(super) fn len(&self) -> usize {
        self.by_step.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_step.is_empty()
    }

    /// Holds the lease of a step that was claimed; returns what stops the step.
    pub(super) fn start(&mut self, step: Uuid, token: Uuid) -> CancellationToken {
        let stop = CancellationToken::new();
        self.by_step.insert(step, Lease { token, claimed_at: Instant::now(), stop: stop.clone() });
        stop
    }

    /// The step has a result.
    pub(super) fn finish(&mut self, step: Uuid) {
        self.by_step.remove(&step);
    }

    /// Stops all running steps.
    pub(super) fn stop_all(&self) {
        for lease in self.by_step.values() {
            lease.stop.cancel();
        }
    }

    /// Extends the leases of steps that have run for a while; stops steps whose lease has expired.
    pub(super) async fn heartbeat(&self, db: &Db, duration: Duration, metrics: &Metrics) {
        let extended: Vec<(Uuid, Uuid)> = self
            .by_step
            .iter()
            .filter(|(_, lease)| lease.claimed_at.elapsed() > MIN_AGE)
            .map(|(step, lease)| (*step, lease.token))
            .collect();
        if extended.is_empty() {
            return;
        }
        metrics.calls.inc();
        match engine::extend_leases(db, &extended, duration).await {
            Ok(valid) => {
                for (step, _) in extended.iter().filter(|(_, token)| !valid.contains(token)) {
                    if let Some(lease) = self.by_step.get(step) {
                        lease.stop.cancel();
                    }
                }
            }
            // The leases are still valid for a while.
            Err(error) => tracing::warn!(%error, "could not extend leases"),
        }
    }
}
