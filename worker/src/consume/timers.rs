//! The next timer of a parked step that this worker knows of, so that it fires on time. Timers are rows: one that no worker remembers is
//! fired by the next sweep.

use std::time::Duration;

use chrono::{DateTime, Utc};
use nofx_shared::db::{Db, Error};
use nofx_shared::engine::{self, TimersFired};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use uuid::Uuid;

use crate::metrics::Metrics;

/// Wait after a call that failed.
const BACKOFF: Duration = Duration::from_millis(500);

#[derive(Default)]
pub(super) struct Timers {
    next_at: Option<Instant>,
    /// At most one: without a database it takes long, and the loop must not wait for it.
    firing: JoinSet<Result<TimersFired, Error>>,
}

impl Timers {
    /// When to fire; none while that is being done.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.next_at.filter(|_| self.firing.is_empty())
    }

    /// A timer is due at this time, and perhaps another one before.
    pub(super) fn set(&mut self, at: DateTime<Utc>) {
        let wait = (at - Utc::now()).to_std().unwrap_or_default();
        let at = Instant::now() + wait;
        self.next_at = Some(self.next_at.map_or(at, |next| next.min(at)));
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.next_at().is_some_and(|at| at <= now)
    }

    /// Fires all timers that are due.
    pub(super) fn fire(&mut self, db: &Db, metrics: &Metrics) {
        self.next_at = None;
        metrics.calls.inc();
        let db = db.clone();
        self.firing.spawn(async move { engine::fire_timers(&db, None).await });
    }

    /// The reply when they have fired; none when none are being fired.
    pub(super) fn next_reply(&mut self) -> impl Future<Output = Option<Result<Result<TimersFired, Error>, JoinError>>> {
        self.firing.join_next()
    }

    /// Sets the next timer; returns the ids to wake workers for.
    pub(super) fn receive(&mut self, reply: Result<TimersFired, Error>) -> Vec<Uuid> {
        match reply {
            Ok(fired) => {
                if let Some(at) = fired.next_due_at {
                    self.set(at);
                }
                fired.wake_for
            }
            Err(error) => {
                tracing::warn!(%error, "could not fire timers; retrying");
                self.next_at = Some(Instant::now() + BACKOFF);
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
