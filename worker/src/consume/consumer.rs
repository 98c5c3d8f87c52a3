//! The loop that decides: it waits for whatever happens first and acts on it. Nothing in it blocks: steps and calls of the database run in
//! tasks of their own.

use std::sync::Arc;
use std::time::Duration;

use nofx_shared::db::{Db, Error};
use nofx_shared::engine::{ClaimedStep, Outcome, TimersFired};
use nofx_shared::queue::Queue;
use nofx_shared::settings;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::leases::{Heartbeat, Leases};
use super::notify::{notify_event_listeners, wake_other_workers};
use super::phase::{Cause, Phase};
use super::settling::{SettleReply, Settling};
use super::start_step::start_step;
use super::step_result::StepResult;
use super::timers::Timers;
use crate::listener::Wakeups;
use crate::metrics::Metrics;
use crate::step::Services;

pub(crate) struct Consumer {
    db: Db,
    /// Between two heartbeats.
    heartbeat: Duration,
    /// How long running steps may take to end when the worker shuts down.
    drain: Duration,
    concurrency: usize,
    services: Arc<Services>,
    wakeups: Wakeups,
    queue: Arc<Queue>,
    metrics: Arc<Metrics>,
    /// Whether this worker holds leases: it should not be stopped by scaling in.
    busy: watch::Sender<bool>,
    phase: Phase,
    leases: Leases,
    settling: Settling,
    timers: Timers,
    /// Results of executed steps; each step in execution has a sender.
    results: mpsc::UnboundedReceiver<StepResult>,
    sender: mpsc::UnboundedSender<StepResult>,
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
        let (sender, results) = mpsc::unbounded_channel();
        Self {
            settling: Settling::new(db.clone(), settings.name.clone(), settings.lease, settings.concurrency, Arc::clone(&metrics)),
            db,
            services,
            wakeups,
            queue,
            metrics,
            busy,
            heartbeat: (settings.lease / 6).min(Duration::from_millis(1500)),
            drain: settings.drain,
            concurrency: settings.concurrency,
            phase: Phase::Consuming,
            leases: Leases::new(settings.lease),
            timers: Timers::default(),
            results,
            sender,
        }
    }

    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut heartbeat = tokio::time::interval(self.heartbeat);
        loop {
            // Not only in an arm: another one may have been ready at the same time, and after the signal nothing is claimed.
            if self.phase.may_claim() && stop.is_cancelled() {
                self.on_stop();
            }
            if self.holds_nothing() {
                self.phase = self.phase.next(Cause::NothingHeld);
            }
            if self.phase == Phase::Stopped {
                return;
            }
            self.settling.send(self.phase.may_claim(), self.leases.running(), self.wakeups.count());
            self.publish_load();
            let deadline = self.next_deadline();
            tokio::select! {
                Some(result) = self.results.recv() => self.on_result(result),
                Some(reply) = self.settling.next_reply() => self.on_settled(reply),
                () = self.wakeups.woken(), if self.phase.may_claim() => self.on_wake(),
                _ = heartbeat.tick(), if !self.leases.is_empty() => self.leases.send_heartbeat(&self.db, &self.metrics),
                Some(reply) = self.leases.next_heartbeat() => self.on_extended(reply),
                Some(reply) = self.timers.next_reply() => self.on_fired(reply),
                () = stop.cancelled(), if self.phase.may_claim() => self.on_stop(),
                () = sleep_until(deadline) => self.on_deadline(),
            }
        }
    }

    fn on_result(&mut self, result: StepResult) {
        self.finish(result);
        // All results that are there by now go into the same batch.
        while let Ok(more) = self.results.try_recv() {
            self.finish(more);
        }
    }

    fn on_settled(&mut self, reply: SettleReply) {
        let (capacity, wakeups, sent_at, tokens) = (reply.capacity, reply.wakeups, reply.sent_at, reply.tokens());
        if let Some(settled) = self.settling.receive(reply) {
            tokens.into_iter().for_each(|token| self.leases.settled(token));
            if capacity > 0 {
                self.wakeups.ack(wakeups, !settled.claims.is_empty());
            }
            wake_other_workers(&self.queue, settled.wake_for);
            notify_event_listeners(&self.queue);
            if let Some(at) = settled.next_due_at {
                self.timers.set(at);
            }
            if settled.has_hooks {
                self.services.hooks.notify_one();
            }
            if settled.has_checks {
                self.services.checks.notify_one();
            }
            for step in settled.claims {
                self.start(step, sent_at);
            }
        }
        self.metrics.running.set(i64::try_from(self.leases.running()).unwrap_or(i64::MAX));
    }

    fn on_wake(&mut self) {
        self.settling.request_claim();
    }

    fn on_extended(&mut self, reply: Result<Heartbeat, JoinError>) {
        match reply {
            Ok(reply) => self.leases.receive_heartbeat(reply),
            Err(error) => tracing::error!(%error, "a heartbeat failed inside the worker"),
        }
    }

    fn on_fired(&mut self, reply: Result<Result<TimersFired, Error>, JoinError>) {
        let ready = match reply {
            Ok(reply) => self.timers.receive(reply),
            Err(error) => return tracing::error!(%error, "timers failed inside the worker"),
        };
        if !ready.is_empty() {
            self.settling.request_claim();
        }
        wake_other_workers(&self.queue, ready);
    }

    fn on_stop(&mut self) {
        self.phase = self.phase.next(Cause::Stop { until: Instant::now() + self.drain });
    }

    fn on_deadline(&mut self) {
        let now = Instant::now();
        self.phase = self.phase.next(Cause::Time(now));
        if self.phase == Phase::Interrupting {
            self.leases.stop_all();
        }
        for step in self.leases.fence(now) {
            tracing::error!(step.id = %step, "the database cannot be reached, and the step's lease ends: it is stopped");
            self.metrics.steps_fenced.inc();
        }
        if self.phase.may_claim() && self.timers.is_due(now) {
            self.timers.fire(&self.db, &self.metrics);
        }
        // The time after a settle that failed needs nothing here: the next round sends again.
    }

    fn start(&mut self, step: ClaimedStep, claimed_at: Instant) {
        let stop = self.leases.start(step.id, step.token, claimed_at);
        // Claimed by a settle that was in flight when all others were stopped.
        if self.phase == Phase::Interrupting {
            stop.cancel();
        }
        start_step(step, stop, Arc::clone(&self.services), Arc::clone(&self.metrics), self.sender.clone());
    }

    fn finish(&mut self, mut result: StepResult) {
        if self.leases.finish(result.token) {
            result.outcome = Outcome::Fenced;
        }
        self.settling.add(result);
    }

    fn holds_nothing(&self) -> bool {
        self.leases.is_empty() && self.settling.is_idle()
    }

    /// Whether the worker may be stopped, for scaling in; whether it can run another step, for the listener.
    fn publish_load(&self) {
        let is_busy = !self.leases.is_empty();
        self.busy.send_if_modified(|was| std::mem::replace(was, is_busy) != is_busy);
        self.wakeups.set_has_capacity(self.phase.may_claim() && self.leases.running() + self.settling.waiting_writes() < self.concurrency);
    }

    fn next_deadline(&self) -> Option<Instant> {
        let timer = self.timers.next_at().filter(|_| self.phase.may_claim());
        [timer, self.settling.backoff_until(), self.phase.deadline(), self.leases.next_fence()].into_iter().flatten().min()
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
