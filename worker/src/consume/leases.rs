//! The leases that this worker holds, of steps that run and of results that are not settled yet. How long each is valid, the database decides:
//! this extends them in time, and stops steps whose lease has expired. While the database cannot be reached, no one else can say that: then
//! a step is stopped when its lease ends by this machine's clock, before another worker may run it (it is *fenced*).

use std::collections::HashMap;
use std::time::Duration;

use nofx_shared::db::{Db, Error};
use nofx_shared::engine::{self, ExtendedLease};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::metrics::Metrics;

/// Younger leases are not extended: most of their steps finish before that.
const MIN_AGE: Duration = Duration::from_millis(500);

pub(super) struct Leases {
    by_token: HashMap<Uuid, Lease>,
    /// How long a lease lasts without a heartbeat.
    length: Duration,
    /// How many steps run.
    running: usize,
    /// The first running step must be stopped then, or later if its lease has been extended.
    next_fence: Option<Instant>,
    /// At most one: without a database it takes long.
    heartbeat: JoinSet<Heartbeat>,
}

struct Lease {
    step: Uuid,
    claimed_at: Instant,
    /// When the call that claimed or extended it was sent: the database has counted from then or later.
    since: Instant,
    /// Stops the step: its lease has expired, its run is being cancelled, or the worker shuts down. None once it has a result.
    stop: Option<CancellationToken>,
    is_fenced: bool,
}

/// The database's reply to a heartbeat.
pub(super) struct Heartbeat {
    sent_at: Instant,
    tokens: Vec<Uuid>,
    result: Result<Vec<ExtendedLease>, Error>,
}

impl Leases {
    pub(super) fn new(length: Duration) -> Self {
        Self { by_token: HashMap::new(), length, running: 0, next_fence: None, heartbeat: JoinSet::new() }
    }

    /// How many steps run.
    pub(super) fn running(&self) -> usize {
        self.running
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_token.is_empty()
    }

    /// Holds the lease of a step that was claimed by a call sent at this time; returns what stops the step.
    pub(super) fn start(&mut self, step: Uuid, token: Uuid, since: Instant) -> CancellationToken {
        let stop = CancellationToken::new();
        let lease = Lease { step, claimed_at: Instant::now(), since, stop: Some(stop.clone()), is_fenced: false };
        let fence_at = lease.fence_at(self.length);
        self.next_fence = Some(self.next_fence.map_or(fence_at, |next| next.min(fence_at)));
        self.by_token.insert(token, lease);
        self.running += 1;
        stop
    }

    /// The step has a result, which is to be settled; whether it was fenced, so that the result does not count.
    pub(super) fn finish(&mut self, token: Uuid) -> bool {
        let Some(lease) = self.by_token.get_mut(&token) else { return false };
        if lease.stop.take().is_some() {
            self.running -= 1;
        }
        lease.is_fenced
    }

    /// The result is settled, or refused.
    pub(super) fn settled(&mut self, token: Uuid) {
        self.by_token.remove(&token);
    }

    /// Stops all running steps.
    pub(super) fn stop_all(&self) {
        for stop in self.by_token.values().filter_map(|lease| lease.stop.as_ref()) {
            stop.cancel();
        }
    }

    /// When to call `fence`.
    pub(super) fn next_fence(&self) -> Option<Instant> {
        self.next_fence
    }

    /// Stops the running steps whose leases end soon; returns them. A fifth of the lease is left then: handlers may take a sixth to clean up
    /// (`Services::stop_grace`).
    pub(super) fn fence(&mut self, now: Instant) -> Vec<Uuid> {
        if self.next_fence.is_none_or(|at| at > now) {
            return vec![];
        }
        let (mut fenced, mut next) = (vec![], None::<Instant>);
        for lease in self.by_token.values_mut().filter(|lease| !lease.is_fenced) {
            let Some(stop) = &lease.stop else { continue };
            let at = lease.fence_at(self.length);
            if at <= now {
                stop.cancel();
                lease.is_fenced = true;
                fenced.push(lease.step);
            } else {
                next = Some(next.map_or(at, |next| next.min(at)));
            }
        }
        self.next_fence = next;
        fenced
    }

    /// Sends a heartbeat for leases that are held for a while.
    pub(super) fn send_heartbeat(&mut self, db: &Db, metrics: &Metrics) {
        let is_due = |lease: &&Lease| lease.claimed_at.elapsed() > MIN_AGE && !lease.is_fenced;
        let held: Vec<(Uuid, Uuid)> =
            self.by_token.iter().filter(|(_, lease)| is_due(lease)).map(|(token, lease)| (lease.step, *token)).collect();
        if held.is_empty() || !self.heartbeat.is_empty() {
            return;
        }
        metrics.calls.inc();
        let (db, length, sent_at) = (db.clone(), self.length, Instant::now());
        self.heartbeat.spawn(async move {
            // The next one may get through when this one does not.
            let result = tokio::time::timeout(length / 3, engine::extend_leases(&db, &held, length)).await;
            let result = result.unwrap_or_else(|_| Err(Error::Unavailable("no response".to_owned())));
            Heartbeat { sent_at, tokens: held.into_iter().map(|(_, token)| token).collect(), result }
        });
    }

    /// The next reply to a heartbeat; none when there is none in flight.
    pub(super) fn next_heartbeat(&mut self) -> impl Future<Output = Option<Result<Heartbeat, JoinError>>> {
        self.heartbeat.join_next()
    }

    /// Leases are longer now; steps without a valid one are stopped.
    pub(super) fn receive_heartbeat(&mut self, reply: Heartbeat) {
        let valid = match reply.result {
            Ok(valid) => valid,
            // The leases are still valid for a while.
            Err(error) => return tracing::warn!(%error, "could not extend leases"),
        };
        for token in reply.tokens {
            let Some(lease) = self.by_token.get_mut(&token) else { continue };
            match valid.iter().find(|one| one.token == token) {
                Some(one) if one.is_extended => lease.since = reply.sent_at,
                // Its row was locked: the next heartbeat extends it.
                Some(_) => {}
                None => lease.stop.iter().for_each(CancellationToken::cancel),
            }
        }
    }
}

impl Lease {
    fn fence_at(&self, length: Duration) -> Instant {
        self.since + length * 4 / 5
    }
}

#[cfg(test)]
mod tests;
