//! Results on their way to the database, in batches; every batch claims too. Knows neither the leases nor how steps are started: it returns
//! the steps that a settle claimed.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use nofx_shared::db::{Db, Error};
use nofx_shared::engine::{self, Failure, Outcome, Settled};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use super::step_result::StepResult;
use super::suspects::{Suspect, Suspects, Tried};
use super::writes::Writes;
use crate::metrics::Metrics;

/// Results in one settle, at most: larger batches are no faster and hold locks longer.
const BATCH_SIZE: usize = 256;
/// And in bytes, about: the last one may have more.
const BATCH_BYTES: usize = 8 << 20;
/// Settles in flight: while one is in the database the next batch fills.
const MAX_SETTLES: usize = 2;
/// The SQLSTATE of an internal error of a function: permanent.
const PANIC: &str = "P0004";
/// How often an outcome is tried that alone takes too long, and how often while no other settle succeeds.
const TRIES: u32 = 3;
const TRIES_OF_A_SLOW_DATABASE: u32 = 20;
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
    suspects: Suspects,
    in_flight: JoinSet<SettleReply>,
    /// Runs that settles in flight have locked: another settle of the same run would only wait.
    runs_in_flight: HashSet<Uuid>,
    /// How many steps settles in flight may claim.
    capacity_in_flight: usize,
    /// Whether a step may be ready that no settle has tried to claim.
    poll_pending: bool,
    /// When a settle succeeded last.
    settled_at: Option<Instant>,
    /// No settle is sent before, after a failure.
    backoff_until: Option<Instant>,
}

/// The database's reply to a settle.
pub(super) struct SettleReply {
    sent: Vec<StepResult>,
    /// What is known of them, if they are suspects.
    suspect: Option<Tried>,
    /// The leases of the steps that it claimed began then or later.
    pub sent_at: Instant,
    /// How many steps the settle could claim.
    pub capacity: usize,
    /// How many wake-ups had come when it was sent.
    pub wakeups: u64,
    result: Result<Settled, Error>,
}

impl SettleReply {
    /// Of a call that sends these results. A panic in it is an error that would come again: what the settle holds is released, and the
    /// results are sent again in halves, so that the one that caused it fails alone.
    async fn of<F>(sent: Vec<StepResult>, suspect: Option<Tried>, capacity: usize, wakeups: u64, call: impl FnOnce(Vec<Value>) -> F) -> Self
    where
        F: Future<Output = Result<Settled, Error>>,
    {
        let sent_at = Instant::now();
        let result = AssertUnwindSafe(async { call(sent.iter().map(StepResult::row).collect()).await }).catch_unwind().await;
        let result = result.unwrap_or_else(|_| Err(Error::Failed { code: PANIC.to_owned(), message: "a panic in the worker".to_owned() }));
        Self { sent, suspect, sent_at, capacity, wakeups, result }
    }

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
            suspects: Suspects::default(),
            in_flight: JoinSet::new(),
            runs_in_flight: HashSet::new(),
            capacity_in_flight: 0,
            // Steps may have become ready before the worker started.
            poll_pending: true,
            settled_at: None,
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
        !self.results.is_empty() || self.writes.waiting() > 0 || self.suspects.waiting() > 0
    }

    /// Whether all results are settled.
    pub(super) fn is_idle(&self) -> bool {
        !self.has_results() && self.in_flight.is_empty()
    }

    /// When to send again what has to wait.
    pub(super) fn backoff_until(&self) -> Option<Instant> {
        [self.backoff_until, self.suspects.next_at()].into_iter().flatten().min()
    }

    /// Sends results and claims as many steps as there is capacity for, if there is a reason to call. `running`: how many steps run;
    /// `wakeups`: how many have come by now.
    pub(super) fn send(&mut self, may_claim: bool, running: usize, wakeups: u64) {
        if self.backoff_until.is_some_and(|until| until > Instant::now()) {
            return;
        }
        self.backoff_until = None;
        self.send_writes(may_claim, wakeups);
        self.send_suspects();
        while self.in_flight.len() < MAX_SETTLES + self.writes.in_flight() + self.suspects.in_flight()
            && (!self.results.is_empty() || self.poll_pending && may_claim)
        {
            let sent = self.next_batch();
            let free = self
                .concurrency
                .saturating_sub(running + self.results.len() + self.writes.waiting() + self.suspects.waiting() + self.capacity_in_flight);
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
            self.in_flight.spawn(SettleReply::of(sent, None, capacity, wakeups, move |rows| async move {
                let sent_at = Instant::now();
                let result = engine::settle_steps(&db, &worker, &rows, capacity, lease).await;
                duration.observe(sent_at.elapsed().as_secs_f64());
                result
            }));
        }
    }

    /// Sends the writes whose turn it is. Each may claim one step, in the place of its own.
    fn send_writes(&mut self, may_claim: bool, wakeups: u64) {
        while let Some(write) = self.writes.next() {
            let capacity = usize::from(may_claim);
            self.capacity_in_flight += capacity;
            self.metrics.calls.inc();
            let (db, worker, lease) = (self.db.clone(), self.worker.clone(), self.lease_duration);
            self.in_flight.spawn(SettleReply::of(vec![write], None, capacity, wakeups, move |rows| async move {
                let row = rows.into_iter().next().unwrap_or_default();
                engine::settle_write(&db, &worker, &row, capacity, lease).await
            }));
        }
    }

    /// Results of runs that no settle in flight has locked, up to a batch.
    fn next_batch(&mut self) -> Vec<StepResult> {
        let mut sent = vec![];
        let mut rest = vec![];
        let mut bytes = 0;
        for one in self.results.drain(..) {
            if sent.len() < BATCH_SIZE && bytes < BATCH_BYTES && !self.runs_in_flight.contains(&one.run) {
                bytes += one.weight();
                sent.push(one);
            } else {
                rest.push(one);
            }
        }
        self.results = rest;
        self.runs_in_flight.extend(sent.iter().map(|one| one.run));
        sent
    }

    /// The next reply to a settle in flight; none when there is none in flight.
    pub(super) async fn next_reply(&mut self) -> Option<SettleReply> {
        self.in_flight.join_next().await.map(|ended| ended.expect("panics are caught, and none is aborted"))
    }

    /// What the database settled and claimed; results of a settle that failed are sent again.
    pub(super) fn receive(&mut self, reply: SettleReply) -> Option<Settled> {
        self.capacity_in_flight -= reply.capacity;
        if reply.suspect.is_some() {
            self.suspects.ended();
        }
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
                self.settled_at = Some(Instant::now());
                self.metrics.settled.inc_by(reply.sent.len().saturating_sub(settled.refused.len()) as u64);
                self.metrics.outcomes_refused.inc_by(settled.refused.len() as u64);
                for (driver, micro_usd) in settled.sandbox_micro_usd.iter().flatten() {
                    self.metrics.cost(driver, *micro_usd);
                }
                // The whole capacity was used: more steps may be ready.
                self.poll_pending |= reply.capacity > 0 && settled.claims.len() == reply.capacity;
                Some(settled)
            }
            // What was too slow is too large, as a rule; whatever else is no fault of the outcomes passes.
            Err(error) if !error.is_permanent() && !self.is_suspicious(&reply.sent, &error) => {
                tracing::warn!(error = &error as &(dyn std::error::Error + 'static), "could not settle; retrying");
                reply.sent.into_iter().for_each(|one| self.add(one));
                self.poll_pending = true;
                self.backoff_until = Some(Instant::now() + BACKOFF);
                None
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &(dyn std::error::Error + 'static),
                    steps = reply.sent.len(),
                    "the database refused a settle"
                );
                // What it would have claimed is claimed without them.
                self.poll_pending |= reply.capacity > 0 && !reply.sent.is_empty();
                let tried = reply.suspect.unwrap_or(Tried { times: 0, since: reply.sent_at });
                if let Some(found) = self.suspects.add(reply.sent, tried, self.most_tries(&error, tried)) {
                    self.results.push(at_fault(found, &error));
                    self.backoff_until = Some(Instant::now() + BACKOFF);
                }
                None
            }
        }
    }

    /// How often an outcome that stands alone is tried: once when it is refused. When the database was too slow, somebody else's lock may have
    /// been the reason, or it is slow for everybody; then it is not the outcome that is at fault.
    fn most_tries(&self, error: &Error, tried: Tried) -> u32 {
        match error.is_permanent() {
            true => 1,
            false if self.settled_at.is_some_and(|at| at > tried.since) => TRIES,
            false => TRIES_OF_A_SLOW_DATABASE,
        }
    }

    /// Whether the outcomes may be why the database failed. A write is settled alone, and the database itself stops one that is too slow.
    fn is_suspicious(&self, sent: &[StepResult], error: &Error) -> bool {
        matches!(error, Error::TooSlow(_)) && !sent.is_empty() && !sent.iter().any(Writes::is_write)
    }

    /// Settles parts of batches that failed as a whole. They claim nothing, and other settles do not wait for them.
    fn send_suspects(&mut self) {
        while let Some(Suspect { results: sent, tried, .. }) = self.suspects.next() {
            self.runs_in_flight.extend(sent.iter().map(|one| one.run));
            self.metrics.calls.inc();
            let (db, worker, lease) = (self.db.clone(), self.worker.clone(), self.lease_duration);
            self.in_flight.spawn(SettleReply::of(sent, Some(tried), 0, 0, move |rows| async move {
                engine::settle_steps(&db, &worker, &rows, 0, lease).await
            }));
        }
    }
}

/// The failure of a step whose outcome the database does not take: outputs with a NUL, which Postgres does not store; more than it can
/// store in time. Sent again as it is, it would be refused until its lease expires, and the step would run again.
fn at_fault(result: StepResult, error: &Error) -> StepResult {
    let failure = if error.is_permanent() {
        Failure::permanent(format!("the outcome of the step was refused: {}", error.problem().detail))
    } else {
        Failure::transient(
            "the outcome of the step could not be stored in the time that a step has for it: return less, or save it as an artifact",
        )
    };
    StepResult { outcome: Outcome::Failed(failure), breaker_target: None, inputs: None, ..result }
}

#[cfg(test)]
mod tests;
