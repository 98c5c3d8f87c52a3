//! The consume loop: wake-up → claim → execute → settle. One task decides; steps run in tasks of their own.
//!
//! Every settle also claims as many steps as the worker has capacity for: a busy worker makes no call only to claim.

mod execute;
mod lease;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use nofx_shared::db::{Db, Error};
use nofx_shared::engine::{self, ClaimedStep, Failure, Outcome, Settled};
use nofx_shared::queue::{Queue, WakeUp};
use nofx_shared::settings;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::handlers;
use crate::listener::Wakeups;
use crate::metrics::Metrics;
use crate::step::Services;
use lease::Lease;

/// Results in one settle, at most: larger batches are no faster and hold locks longer.
const BATCH_SIZE: usize = 256;
/// Settles in flight: while one is in the database the next batch fills.
const MAX_SETTLES: usize = 2;
/// Wait after a settle that failed or was refused.
const BACKOFF: Duration = Duration::from_millis(200);

/// A step that was executed, with its outcome.
struct StepResult {
    run: Uuid,
    step: Uuid,
    token: Uuid,
    outcome: Outcome,
    breaker_target: Option<String>,
}

impl StepResult {
    fn row(&self) -> Value {
        self.outcome.row(self.step, self.token, self.breaker_target.as_deref())
    }
}

/// The database's reply to a settle.
struct SettleReply {
    sent: Vec<StepResult>,
    /// How many steps the settle could claim.
    capacity: usize,
    /// How many wake-ups had come when it was sent.
    wakeups: u64,
    result: Result<Settled, Error>,
}

pub(crate) struct Consumer {
    db: Db,
    name: String,
    lease_duration: Duration,
    /// How long running steps may take to end when the worker shuts down.
    drain: Duration,
    concurrency: usize,
    services: Arc<Services>,
    wakeups: Wakeups,
    queue: Arc<Queue>,
    metrics: Arc<Metrics>,
    /// Whether this worker holds leases: it should not be stopped by scaling in.
    busy: watch::Sender<bool>,
    /// By step.
    leases: HashMap<Uuid, Lease>,
    /// Results that no settle in flight holds.
    results: Vec<StepResult>,
    settles: JoinSet<SettleReply>,
    /// Runs that settles in flight have locked: another settle of the same run would only wait.
    runs_in_flight: HashSet<Uuid>,
    /// How many steps settles in flight may claim.
    capacity_in_flight: usize,
    /// Whether a step may be ready that no settle has tried to claim.
    poll_pending: bool,
    next_timer_at: Option<Instant>,
    /// No settle is sent before, after a failure.
    backoff_until: Option<Instant>,
    /// Whether running steps were stopped because the worker shuts down: they are interrupted, and another worker runs them again.
    is_interrupting: bool,
}

impl Consumer {
    pub(crate) fn new(
        db: Db,
        settings: &settings::Worker,
        services: Arc<Services>,
        wakeups: Wakeups,
        queue: Arc<Queue>,
        metrics: Arc<Metrics>,
        busy: watch::Sender<bool>,
    ) -> Self {
        Self {
            db,
            services,
            wakeups,
            queue,
            metrics,
            busy,
            name: settings.name.clone(),
            lease_duration: settings.lease,
            drain: settings.drain,
            concurrency: settings.concurrency,
            leases: HashMap::new(),
            results: vec![],
            settles: JoinSet::new(),
            runs_in_flight: HashSet::new(),
            capacity_in_flight: 0,
            poll_pending: true,
            next_timer_at: None,
            backoff_until: None,
            is_interrupting: false,
        }
    }

    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let (sender, mut results) = mpsc::unbounded_channel::<StepResult>();
        let mut heartbeat = tokio::time::interval((self.lease_duration / 6).min(Duration::from_millis(1500)));
        let mut drain_until = None;
        loop {
            if stop.is_cancelled() && drain_until.is_none() {
                drain_until = Some(Instant::now() + self.drain);
                self.poll_pending = false;
            }
            if drain_until.is_some() && self.leases.is_empty() && self.results.is_empty() && self.settles.is_empty() {
                return;
            }
            self.settle(drain_until.is_none());
            let is_busy = !self.leases.is_empty() || !self.results.is_empty();
            self.busy.send_if_modified(|was| std::mem::replace(was, is_busy) != is_busy);
            self.wakeups.set_has_capacity(drain_until.is_none() && self.leases.len() < self.concurrency);
            let deadline = self.next_deadline(drain_until);
            tokio::select! {
                Some(result) = results.recv() => {
                    self.on_result(result);
                    // All results that are there by now go into the same batch.
                    while let Ok(more) = results.try_recv() {
                        self.on_result(more);
                    }
                }
                Some(reply) = self.settles.join_next() => match reply {
                    Ok(reply) => self.on_settled(reply, &sender),
                    Err(error) => tracing::error!(%error, "a settle failed inside the worker"),
                },
                () = self.wakeups.woken(), if drain_until.is_none() => self.poll_pending = true,
                _ = heartbeat.tick(), if !self.leases.is_empty() => self.heartbeat().await,
                () = stop.cancelled(), if drain_until.is_none() => {}
                () = sleep_until(deadline) => self.on_deadline(drain_until).await,
            }
        }
    }

    /// Sends results and claims as many steps as there is capacity for, if there is a reason to call.
    fn settle(&mut self, may_claim: bool) {
        if self.backoff_until.is_some_and(|until| until > Instant::now()) {
            return;
        }
        self.backoff_until = None;
        while self.settles.len() < MAX_SETTLES && (!self.results.is_empty() || self.poll_pending && may_claim) {
            let sent = self.next_batch();
            let free = self.concurrency.saturating_sub(self.leases.len() + self.results.len() + self.capacity_in_flight);
            let capacity = if may_claim { free.min(BATCH_SIZE) } else { 0 };
            // All results wait for a settle in flight, or there is no capacity: a call would do nothing.
            if sent.is_empty() && (capacity == 0 || !self.poll_pending) {
                return;
            }
            self.poll_pending = false;
            self.capacity_in_flight += capacity;
            self.metrics.calls.inc();
            self.metrics.batch.observe(sent.len() as f64);
            let (db, name, lease, wakeups) = (self.db.clone(), self.name.clone(), self.lease_duration, self.wakeups.count());
            let duration = self.metrics.settle.clone();
            self.settles.spawn(async move {
                let rows: Vec<Value> = sent.iter().map(StepResult::row).collect();
                let sent_at = Instant::now();
                let result = engine::settle_steps(&db, &name, &rows, capacity, lease).await;
                duration.observe(sent_at.elapsed().as_secs_f64());
                SettleReply { sent, capacity, wakeups, result }
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

    fn on_settled(&mut self, reply: SettleReply, sender: &mpsc::UnboundedSender<StepResult>) {
        self.capacity_in_flight -= reply.capacity;
        for one in &reply.sent {
            self.runs_in_flight.remove(&one.run);
        }
        match reply.result {
            Ok(settled) => {
                self.metrics.settled.inc_by(reply.sent.len().saturating_sub(settled.refused.len()) as u64);
                self.metrics.outcomes_refused.inc_by(settled.refused.len() as u64);
                if reply.capacity > 0 {
                    self.wakeups.ack(reply.wakeups, !settled.claims.is_empty());
                }
                self.wake_other_workers(settled.wake_for);
                self.notify_event_listeners();
                // The whole capacity was used: more steps may be ready.
                self.poll_pending |= reply.capacity > 0 && settled.claims.len() == reply.capacity;
                if let Some(at) = settled.next_due_at {
                    self.set_timer(at);
                }
                if settled.has_hooks {
                    self.services.hooks.notify_one();
                }
                if settled.has_checks {
                    self.services.checks.notify_one();
                }
                for step in settled.claims {
                    self.start_step(step, sender.clone());
                }
            }
            Err(error) if !error.is_permanent() => {
                tracing::warn!(error = &error as &(dyn std::error::Error + 'static), "could not settle; retrying");
                self.results.extend(reply.sent);
                self.poll_pending = true;
                self.backoff_until = Some(Instant::now() + BACKOFF);
            }
            Err(error) => self.isolate_refused(reply.sent, &error),
        }
        self.metrics.running.set(i64::try_from(self.leases.len()).unwrap_or(i64::MAX));
    }

    /// The database refused a batch and would refuse it again: sends its results one by one, and fails the step whose outcome is refused.
    fn isolate_refused(&mut self, sent: Vec<StepResult>, error: &Error) {
        tracing::error!(error = error as &(dyn std::error::Error + 'static), steps = sent.len(), "the database refused a settle");
        self.backoff_until = Some(Instant::now() + BACKOFF);
        if let [only] = sent.as_slice() {
            let failure = Failure::permanent(format!("the outcome of the step was refused: {}", error.problem().detail));
            let outcome = Outcome::Failed(failure);
            self.results.push(StepResult { run: only.run, step: only.step, token: only.token, outcome, breaker_target: None });
            return;
        }
        for one in sent {
            let (db, name, lease) = (self.db.clone(), self.name.clone(), self.lease_duration);
            self.settles.spawn(async move {
                let result = engine::settle_steps(&db, &name, &[one.row()], 0, lease).await;
                SettleReply { sent: vec![one], capacity: 0, wakeups: 0, result }
            });
        }
    }

    /// Wakes workers for steps that became ready and were not claimed here, when the database does not do it itself.
    fn wake_other_workers(&self, ready: Vec<Uuid>) {
        if ready.is_empty() {
            return;
        }
        let queue = Arc::clone(&self.queue);
        tokio::spawn(async move {
            if let Err(error) = queue.wake(ready.into_iter().map(WakeUp::new).collect()).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "could not wake workers; the next sweep will");
            }
        });
    }

    /// Notifies clients that follow events: new ones were written.
    fn notify_event_listeners(&self) {
        let queue = Arc::clone(&self.queue);
        tokio::spawn(async move {
            if let Err(error) = queue.notify_event_listeners().await {
                tracing::debug!(error = &error as &dyn std::error::Error, "could not notify event listeners; they will poll");
            }
        });
    }

    fn start_step(&mut self, step: ClaimedStep, sender: mpsc::UnboundedSender<StepResult>) {
        let waited = Utc::now() - step.ready_at;
        self.metrics.claimed(waited.as_seconds_f64().max(0.0), step.attempt, step.traceparent.as_deref());
        let stop = CancellationToken::new();
        self.leases.insert(step.id, Lease::new(step.token, stop.clone()));
        let services = Arc::clone(&self.services);
        let (run, id, token) = (step.run_id, step.id, step.token);
        let (metrics, trace, tool, started_at) =
            (Arc::clone(&self.metrics), step.traceparent.clone(), handlers::name(&step.tool), Instant::now());
        tokio::spawn(async move {
            let breaker_target = Arc::new(OnceLock::new());
            let outcome = execute::execute(step, services, stop, Arc::clone(&breaker_target)).await;
            let breaker_target = breaker_target.get().cloned();
            metrics.executed(tool, &outcome, started_at.elapsed().as_secs_f64(), trace.as_deref());
            // The loop receives until the last lease has ended: this cannot fail.
            drop(sender.send(StepResult { run, step: id, token, outcome, breaker_target }));
        });
    }

    fn on_result(&mut self, result: StepResult) {
        self.leases.remove(&result.step);
        self.results.push(result);
    }

    fn set_timer(&mut self, at: DateTime<Utc>) {
        let wait = (at - Utc::now()).to_std().unwrap_or_default();
        let at = Instant::now() + wait;
        self.next_timer_at = Some(self.next_timer_at.map_or(at, |next| next.min(at)));
    }

    fn next_deadline(&self, drain_until: Option<Instant>) -> Option<Instant> {
        let timer = self.next_timer_at.filter(|_| drain_until.is_none());
        [timer, self.backoff_until, drain_until.filter(|_| !self.is_interrupting)].into_iter().flatten().min()
    }

    async fn on_deadline(&mut self, drain_until: Option<Instant>) {
        let now = Instant::now();
        if drain_until.is_some_and(|until| until <= now) {
            self.is_interrupting = true;
            for lease in self.leases.values() {
                lease.stop.cancel();
            }
        }
        if drain_until.is_none() && self.next_timer_at.is_some_and(|at| at <= now) {
            self.next_timer_at = None;
            self.metrics.calls.inc();
            match engine::fire_timers(&self.db, None).await {
                Ok(fired) => {
                    self.poll_pending |= !fired.wake_for.is_empty();
                    self.wake_other_workers(fired.wake_for);
                    if let Some(at) = fired.next_due_at {
                        self.set_timer(at);
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "could not wake due steps; retrying");
                    self.next_timer_at = Some(now + Duration::from_millis(500));
                }
            }
        }
    }

    /// Extends the leases of steps that have run for a while; stops steps whose lease has expired.
    async fn heartbeat(&mut self) {
        let extended: Vec<(Uuid, Uuid)> = self
            .leases
            .iter()
            .filter(|(_, lease)| lease.claimed_at.elapsed() > Duration::from_millis(500))
            .map(|(step, lease)| (*step, lease.token))
            .collect();
        if extended.is_empty() {
            return;
        }
        self.metrics.calls.inc();
        match engine::extend_leases(&self.db, &extended, self.lease_duration).await {
            Ok(valid) => {
                for (step, _) in extended.iter().filter(|(_, token)| !valid.contains(token)) {
                    if let Some(lease) = self.leases.get(step) {
                        lease.stop.cancel();
                    }
                }
            }
            // The leases are still valid for a while.
            Err(error) => tracing::warn!(%error, "could not extend leases"),
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
