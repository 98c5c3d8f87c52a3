//! Results on their way to the database, in batches; every batch claims too. Knows neither the leases nor how steps are started: it returns
//! the steps that a settle claimed.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use nofx_shared::db::{Db, Error};
use nofx_shared::engine::{self, Failure, Outcome, Settled};
use serde_json::Value;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use uuid::Uuid;

use super::step_result::StepResult;
use super::writes::Writes;
use crate::metrics::Metrics;

/// Results in one settle, at most: larger batches are no faster and hold locks longer.
const BATCH_SIZE: usize = 256;
/// Settles in flight: while one is in the database the next batch fills.
const MAX_SETTLES: usize = 2;
/// Wait after a settle that failed or was refused.
const BACKOFF: Duration = Duration::from_millis(200);

pub(super) struct Settling {
    db: Db,
    /// This worker's name.
    worker: String,
    lease_duration: Duration,
    concurrency: usize,
    metrics: Arc<Metrics>,
    /// Results that no settle in flight holds, except writes.
    results: Vec<StepResult>,
    writes: Writes,
    in_flight: JoinSet<SettleReply>,
    /// Runs that settles in flight have locked: another settle of the same run would only wait.
    runs_in_flight: HashSet<Uuid>,
    /// How many steps settles in flight may claim.
    capacity_in_flight: usize,
    /// Whether a step may be ready that no settle has tried to claim.
    poll_pending: bool,
    /// No settle is sent before, after a failure.
    backoff_until: Option<Instant>,
}

/// The database's reply to a settle.
pub(super) struct SettleReply {
    sent: Vec<StepResult>,
    /// The leases of the steps that it claimed began then or later.
    pub sent_at: Instant,
    /// How many steps the settle could claim.
    pub capacity: usize,
    /// How many wake-ups had come when it was sent.
    pub wakeups: u64,
    result: Result<Settled, Error>,
}

impl SettleReply {
    /// The leases of the results that were sent.
    pub(super) fn tokens(&self) -> Vec<Uuid> {
        self.sent.iter().map(|one| one.token).collect()
    }
}

impl Settling {
    pub(super) fn new(db: Db, worker: String, lease_duration: Duration, concurrency: usize, metrics: Arc<Metrics>) -> Self {
        Self {
            db,
            worker,
            lease_duration,
            concurrency,
            metrics,
            results: vec![],
            writes: Writes::default(),
            in_flight: JoinSet::new(),
            runs_in_flight: HashSet::new(),
            capacity_in_flight: 0,
            // Steps may have become ready before the worker started.
            poll_pending: true,
            backoff_until: None,
        }
    }

    /// The next settle contains this result; a write gets its own.
    pub(super) fn add(&mut self, result: StepResult) {
        if Writes::is_write(&result) { self.writes.add(result) } else { self.results.push(result) }
    }

    /// Writes that wait for their turn: their steps have not finished, and occupy the worker.
    pub(super) fn waiting_writes(&self) -> usize {
        self.writes.waiting()
    }

    /// A step may be ready: a settle is sent even without results.
    pub(super) fn request_claim(&mut self) {
        self.poll_pending = true;
    }

    pub(super) fn has_results(&self) -> bool {
        !self.results.is_empty() || self.writes.waiting() > 0
    }

    /// Whether all results are settled.
    pub(super) fn is_idle(&self) -> bool {
        !self.has_results() && self.in_flight.is_empty()
    }

    pub(super) fn backoff_until(&self) -> Option<Instant> {
        self.backoff_until
    }

    /// Sends results and claims as many steps as there is capacity for, if there is a reason to call. `running`: how many steps run;
    /// `wakeups`: how many have come by now.
    pub(super) fn send(&mut self, may_claim: bool, running: usize, wakeups: u64) {
        if self.backoff_until.is_some_and(|until| until > Instant::now()) {
            return;
        }
        self.backoff_until = None;
        self.send_writes(may_claim, wakeups);
        while self.in_flight.len() < MAX_SETTLES + self.writes.in_flight() && (!self.results.is_empty() || self.poll_pending && may_claim) {
            let sent = self.next_batch();
            let free = self.concurrency.saturating_sub(running + self.results.len() + self.writes.waiting() + self.capacity_in_flight);
            let capacity = if may_claim { free.min(BATCH_SIZE) } else { 0 };
            // All results wait for a settle in flight, or there is no capacity: a call would do nothing.
            if sent.is_empty() && (capacity == 0 || !self.poll_pending) {
                return;
            }
            self.poll_pending = false;
            self.capacity_in_flight += capacity;
            self.metrics.calls.inc();
            self.metrics.batch.observe(sent.len() as f64);
            let (db, worker, lease) = (self.db.clone(), self.worker.clone(), self.lease_duration);
            let duration = self.metrics.settle.clone();
            self.in_flight.spawn(async move {
                let rows: Vec<Value> = sent.iter().map(StepResult::row).collect();
                let sent_at = Instant::now();
                let result = engine::settle_steps(&db, &worker, &rows, capacity, lease).await;
                duration.observe(sent_at.elapsed().as_secs_f64());
                SettleReply { sent, sent_at, capacity, wakeups, result }
            });
        }
    }

    /// Sends the writes whose turn it is. Each may claim one step, in the place of its own.
    fn send_writes(&mut self, may_claim: bool, wakeups: u64) {
        while let Some(write) = self.writes.next() {
            let capacity = usize::from(may_claim);
            self.capacity_in_flight += capacity;
            self.metrics.calls.inc();
            let (db, worker, lease) = (self.db.clone(), self.worker.clone(), self.lease_duration);
            self.in_flight.spawn(async move {
                let sent_at = Instant::now();
                let result = engine::settle_write(&db, &worker, &write.row(), capacity, lease).await;
                SettleReply { sent: vec![write], sent_at, capacity, wakeups, result }
            });
        }
    }

    /// Results of runs that no settle in flight has locked, up to a batch.
    fn next_batch(&mut self) -> Vec<StepResult> {
        let mut sent = vec![];
        let mut rest = vec![];
        for one in self.results.drain(..) {
            if sent.len() < BATCH_SIZE && !self.runs_in_flight.contains(&one.run) { sent.push(one) } else { rest.push(one) }
        }
        self.results = rest;
        self.runs_in_flight.extend(sent.iter().map(|one| one.run));
        sent
    }

    /// The next reply to a settle in flight; none when there is none in flight.
    pub(super) fn next_reply(&mut self) -> impl Future<Output = Option<Result<SettleReply, JoinError>>> {
        self.in_flight.join_next()
    }

    /// What the database settled and claimed; results of a settle that failed are sent again.
    pub(super) fn receive(&mut self, reply: SettleReply) -> Option<Settled> {
        self.capacity_in_flight -= reply.capacity;
        for one in &reply.sent {
            // A write locks its run at its end only, so others of the run do not wait for it.
            if Writes::is_write(one) {
                self.writes.ended(one);
            } else {
                self.runs_in_flight.remove(&one.run);
            }
        }
        match reply.result {
            Ok(settled) => {
                self.metrics.settled.inc_by(reply.sent.len().saturating_sub(settled.refused.len()) as u64);
                self.metrics.outcomes_refused.inc_by(settled.refused.len() as u64);
                for (driver, micro_usd) in settled.sandbox_micro_usd.iter().flatten() {
                    self.metrics.cost(driver, *micro_usd);
                }
                // The whole capacity was used: more steps may be ready.
                self.poll_pending |= reply.capacity > 0 && settled.claims.len() == reply.capacity;
                Some(settled)
            }
            Err(error) if !error.is_permanent() => {
                tracing::warn!(error = &error as &(dyn std::error::Error + 'static), "could not settle; retrying");
                reply.sent.into_iter().for_each(|one| self.add(one));
                self.poll_pending = true;
                self.backoff_until = Some(Instant::now() + BACKOFF);
                None
            }
            Err(error) => {
                self.isolate(reply.sent, &error);
                None
            }
        }
    }

    /// The database refused a batch and would refuse it again: sends its results one by one, and fails the step whose outcome is refused.
    ///
    /// A settle is one transaction, so one outcome that the database cannot take (outputs with a NUL, which Postgres does not store) refuses
    /// its whole batch, and the error does not name it. Sent again as it is, the batch would be refused until all of its leases expire, and
    /// steps without a fault would run again and be dead-lettered. One by one, the others settle at once, and the one that is refused alone
    /// becomes a failure of its step. These settles claim nothing, and `MAX_SETTLES` does not limit them: they are rare, and no batch is sent
    /// while more than one of them is in flight.
    fn isolate(&mut self, sent: Vec<StepResult>, error: &Error) {
        tracing::error!(error = error as &(dyn std::error::Error + 'static), steps = sent.len(), "the database refused a settle");
        self.backoff_until = Some(Instant::now() + BACKOFF);
        if let [only] = sent.as_slice() {
            let failure = Failure::permanent(format!("the outcome of the step was refused: {}", error.problem().detail));
            let outcome = Outcome::Failed(failure);
            self.results.push(StepResult {
                tenant: only.tenant,
                run: only.run,
                step: only.step,
                token: only.token,
                outcome,
                breaker_target: None,
                inputs: None,
                sandboxed: only.sandboxed.clone(),
                left: None,
            });
            return;
        }
        for one in sent {
            let (db, worker, lease) = (self.db.clone(), self.worker.clone(), self.lease_duration);
            self.in_flight.spawn(async move {
                let sent_at = Instant::now();
                let result = engine::settle_steps(&db, &worker, &[one.row()], 0, lease).await;
                SettleReply { sent: vec![one], sent_at, capacity: 0, wakeups: 0, result }
            });
        }
    }
}

#[cfg(test)]
mod tests;
