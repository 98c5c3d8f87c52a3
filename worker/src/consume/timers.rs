//! The next timer of a parked step that this worker knows of, so that it fires on time. Timers are rows: one that no worker remembers is
//! fired by the next sweep.

use std::time::Duration;

use chrono::{DateTime, Utc};
use nofx_shared::db::Db;
use nofx_shared::engine;
use tokio::time::Instant;
use uuid::Uuid;

use crate::metrics::Metrics;

/// Wait after a call that failed.
const BACKOFF: Duration = Duration::from_millis(500);

#[derive(Default)]
pub(super) struct Timers {
    next_at: Option<Instant>,
}

impl Timers {
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.next_at
    }

    /// A timer is due at this time, and perhaps another one before.
    pub(super) fn set(&mut self, at: DateTime<Utc>) {
        let wait = (at - Utc::now()).to_std().unwrap_or_default();
        let at = Instant::now() + wait;
        self.next_at = Some(self.next_at.map_or(at, |next| next.min(at)));
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.next_at.is_some_and(|at| at <= now)
    }

    /// Fires all timers that are due; returns the ids to wake workers for.
    pub(super) async fn fire(&mut self, db: &Db, metrics: &Metrics, now: Instant) -> Vec<Uuid> {
        self.next_at = None;
        metrics.calls.inc();
        match engine::fire_timers(db, None).await {
            Ok(fired) => {
                if let Some(at) = fired.next_due_at {
                    self.set(at);
                }
                fired.wake_for
            }
            Err(error) => {
                tracing::warn!(%error, "could not fire timers; retrying");
                self.next_at = Some(now + BACKOFF);
                vec![]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_timer_counts() {
        let mut timers = Timers::default();
        timers.set(Utc::now() + Duration::from_secs(60));
        let first = timers.next_at().expect("it was set");
        timers.set(Utc::now() + Duration::from_secs(120));
        assert_eq!(timers.next_at(), Some(first));
        assert!(!timers.is_due(Instant::now()));
        timers.set(Utc::now() - Duration::from_secs(1));
        assert!(timers.is_due(Instant::now()), "one that is late is due at once");
    }
}
