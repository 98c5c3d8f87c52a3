//! The consume loop: ring → claim → execute → settle. One task decides; steps run in tasks of their own.
//!
//! Every settle asks for as many steps as there is room for, so that a busy worker never makes a call only to claim.

mod artifacts;
mod context;
mod execute;
mod lease;
mod live_log;

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
pub(crate) use artifacts::media_type;
pub(crate) use context::{StepContext, Tools};
use lease::Held;

/// Most outcomes in one settle: larger batches gain nothing and hold locks longer.
const BATCH: usize = 256;
/// Settles under way at once: while one is in the database the next fills.
const SETTLES: usize = 2;

/// A step that is at an end, and what came of it.
struct Ended {
    run: Uuid,
    step: Uuid,
    token: Uuid,
    outcome: Outcome,
    /// What it depended on outside.
    provider: Option<String>,
}

impl Ended {
    fn row(&self) -> Value {
        self.outcome.row(self.step, self.token, self.provider.as_deref())
    }
}

/// A settle that came back.
struct Answer {
    sent: Vec<Ended>,
    asked: usize,
    /// How often the bell had rung when it was sent.
    rings: u64,
    result: Result<Settled, Error>,
}

pub(crate) struct Consumer {
    db: Db,
    name: String,
    lease: Duration,
    /// How long running steps may take to end when the worker is told to stop.
    drain: Duration,
    concurrency: usize,
    tools: Arc<Tools>,
    wakeups: Wakeups,
    queue: Arc<Queue>,
    metrics: Arc<Metrics>,
    /// Whether this worker holds leases, for whoever would end it.
    busy: watch::Sender<bool>,
    held: HashMap<Uuid, Held>,
    ended: Vec<Ended>,
    settles: JoinSet<Answer>,
    /// Runs that settles under way have locked: another settle of theirs would only wait.
    locked: HashSet<Uuid>,
    /// Steps that settles under way asked for.
    asked: usize,
    /// Whether something may be ready that no settle has asked for.
    hungry: bool,
    due: Option<Instant>,
    /// Until when not to call, after a failure.
    pause: Option<Instant>,
    /// Whether steps are stopped because the worker goes away: they are not at an end, another worker has them next.
    handing_back: bool,
}

impl Consumer {
    pub(crate) fn new(
        db: Db,
        settings: &settings::Worker,
        tools: Arc<Tools>,
        wakeups: Wakeups,
        queue: Arc<Queue>,
        metrics: Arc<Metrics>,
        busy: watch::Sender<bool>,
    ) -> Self {
        Self {
            db,
            tools,
            wakeups,
            queue,
            metrics,
            busy,
            name: settings.name.clone(),
            lease: settings.lease,
            drain: settings.drain,
            concurrency: settings.concurrency,
            held: HashMap::new(),
            ended: vec![],
            settles: JoinSet::new(),
            locked: HashSet::new(),
            asked: 0,
            hungry: true,
            due: None,
            pause: None,
            handing_back: false,
        }
    }

    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let (sender, mut outcomes) = mpsc::unbounded_channel::<Ended>();
        let mut heartbeat = tokio::time::interval((self.lease / 6).min(Duration::from_millis(1500)));
        let mut deadline = None;
        loop {
            if stop.is_cancelled() && deadline.is_none() {
                deadline = Some(Instant::now() + self.drain);
                self.hungry = false;
            }
            if deadline.is_some() && self.held.is_empty() && self.ended.is_empty() && self.settles.is_empty() {
                return;
            }
            self.settle(deadline.is_none());
            let is_busy = !self.held.is_empty() || !self.ended.is_empty();
            self.busy.send_if_modified(|was| std::mem::replace(was, is_busy) != is_busy);
            self.wakeups.set_has_capacity(deadline.is_none() && self.held.len() < self.concurrency);
            let alarm = self.alarm(deadline);
            tokio::select! {
                Some(ended) = outcomes.recv() => {
                    self.take(ended);
                    // Whatever else has ended by now goes into the same batch.
                    while let Ok(more) = outcomes.try_recv() {
                        self.take(more);
                    }
                }
                Some(answer) = self.settles.join_next() => match answer {
                    Ok(answer) => self.answered(answer, &sender),
                    Err(error) => tracing::error!(%error, "a settle failed inside the worker"),
                },
                () = self.wakeups.woken(), if deadline.is_none() => self.hungry = true,
                _ = heartbeat.tick(), if !self.held.is_empty() => self.beat().await,
                () = stop.cancelled(), if deadline.is_none() => {}
                () = sleep_until(alarm) => self.alarmed(deadline).await,
            }
        }
    }

    /// Sends what ended and asks for what there is room for, if there is a reason to call.
    fn settle(&mut self, may_claim: bool) {
        if self.pause.is_some_and(|pause| pause > Instant::now()) {
            return;
        }
        self.pause = None;
        while self.settles.len() < SETTLES && (!self.ended.is_empty() || self.hungry && may_claim) {
            let sent = self.next_batch();
            let room = self.concurrency.saturating_sub(self.held.len() + self.ended.len() + self.asked);
            let asked = if may_claim { room.min(BATCH) } else { 0 };
            // What ended waits for a settle under way, or there is no room: a call would bring nothing.
            if sent.is_empty() && (asked == 0 || !self.hungry) {
                return;
            }
            self.hungry = false;
            self.asked += asked;
            self.metrics.calls.inc();
            self.metrics.batch.observe(sent.len() as f64);
            let (db, name, lease, rings) = (self.db.clone(), self.name.clone(), self.lease, self.wakeups.count());
            let settle = self.metrics.settle.clone();
            self.settles.spawn(async move {
                let rows: Vec<Value> = sent.iter().map(Ended::row).collect();
                let began = Instant::now();
                let result = engine::settle_steps(&db, &name, &rows, asked, lease).await;
                settle.observe(began.elapsed().as_secs_f64());
                Answer { sent, asked, rings, result }
            });
        }
    }

    /// What ended in runs that no settle under way has locked, up to a batch.
    fn next_batch(&mut self) -> Vec<Ended> {
        let mut sent = vec![];
        let mut kept = vec![];
        for one in self.ended.drain(..) {
            if sent.len() < BATCH && !self.locked.contains(&one.run) { sent.push(one) } else { kept.push(one) }
        }
        self.ended = kept;
        self.locked.extend(sent.iter().map(|one| one.run));
        sent
    }

    fn answered(&mut self, answer: Answer, sender: &mpsc::UnboundedSender<Ended>) {
        self.asked -= answer.asked;
        for one in &answer.sent {
            self.locked.remove(&one.run);
        }
        match answer.result {
            Ok(settled) => {
                self.metrics.settled.inc_by(answer.sent.len().saturating_sub(settled.refused.len()) as u64);
                self.metrics.refused.inc_by(settled.refused.len() as u64);
                if answer.asked > 0 {
                    self.wakeups.ack(answer.rings, !settled.claims.is_empty());
                }
                self.tell_others(settled.wake_for);
                self.announce();
                // As many as asked for: there may be more.
                self.hungry |= answer.asked > 0 && settled.claims.len() == answer.asked;
                if let Some(at) = settled.next_due_at {
                    self.set_alarm(at);
                }
                if settled.has_hooks {
                    self.tools.hooks.notify_one();
                }
                if settled.has_checks {
                    self.tools.checks.notify_one();
                }
                for step in settled.claims {
                    self.start(step, sender.clone());
                }
            }
            Err(error) if !error.is_permanent() => {
                tracing::warn!(error = &error as &(dyn std::error::Error + 'static), "could not settle; retrying");
                self.ended.extend(answer.sent);
                self.hungry = true;
                self.pause = Some(Instant::now() + Duration::from_millis(200));
            }
            Err(error) => self.refused(answer.sent, &error),
        }
        self.metrics.running.set(i64::try_from(self.held.len()).unwrap_or(i64::MAX));
    }

    /// The database refused a batch for good: find the outcome that it refuses, and fail that step with the reason.
    fn refused(&mut self, sent: Vec<Ended>, error: &Error) {
        tracing::error!(error = error as &(dyn std::error::Error + 'static), steps = sent.len(), "the database refused a settle");
        self.pause = Some(Instant::now() + Duration::from_millis(200));
        if let [only] = sent.as_slice() {
            let failure = Failure::permanent(format!("the outcome of the step was refused: {}", error.problem().detail));
            self.ended.push(Ended { run: only.run, step: only.step, token: only.token, outcome: Outcome::Failed(failure), provider: None });
            return;
        }
        for one in sent {
            let (db, name, lease) = (self.db.clone(), self.name.clone(), self.lease);
            self.settles.spawn(async move {
                let result = engine::settle_steps(&db, &name, &[one.row()], 0, lease).await;
                Answer { sent: vec![one], asked: 0, rings: 0, result }
            });
        }
    }

    /// Rings for steps that became ready and are not ours, when the database does not ring by itself.
    fn tell_others(&self, ready: Vec<Uuid>) {
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

    /// Events were written: whoever follows them hears of it.
    fn announce(&self) {
        let queue = Arc::clone(&self.queue);
        tokio::spawn(async move {
            if let Err(error) = queue.notify_event_listeners().await {
                tracing::debug!(error = &error as &dyn std::error::Error, "could not notify event listeners; they will poll");
            }
        });
    }

    fn start(&mut self, step: ClaimedStep, sender: mpsc::UnboundedSender<Ended>) {
        let waited = Utc::now() - step.ready_at;
        self.metrics.claimed(waited.as_seconds_f64().max(0.0), step.attempt, step.traceparent.as_deref());
        let stop = CancellationToken::new();
        self.held.insert(step.id, Held::new(step.token, stop.clone()));
        let tools = Arc::clone(&self.tools);
        let (run, id, token) = (step.run_id, step.id, step.token);
        let (metrics, trace, tool, began) =
            (Arc::clone(&self.metrics), step.traceparent.clone(), handlers::name(&step.tool), Instant::now());
        tokio::spawn(async move {
            let provider = Arc::new(OnceLock::new());
            let outcome = execute::execute(step, tools, stop, Arc::clone(&provider)).await;
            let provider = provider.get().cloned();
            metrics.executed(tool, &outcome, began.elapsed().as_secs_f64(), trace.as_deref());
            // The loop outlives every step: it ends only when it holds none.
            drop(sender.send(Ended { run, step: id, token, outcome, provider }));
        });
    }

    fn take(&mut self, ended: Ended) {
        self.held.remove(&ended.step);
        self.ended.push(ended);
    }

    fn set_alarm(&mut self, at: DateTime<Utc>) {
        let wait = (at - Utc::now()).to_std().unwrap_or_default();
        let at = Instant::now() + wait;
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    fn alarm(&self, deadline: Option<Instant>) -> Option<Instant> {
        [self.due.filter(|_| deadline.is_none()), self.pause, deadline.filter(|_| !self.handing_back)].into_iter().flatten().min()
    }

    async fn alarmed(&mut self, deadline: Option<Instant>) {
        let now = Instant::now();
        if deadline.is_some_and(|deadline| deadline <= now) {
            self.handing_back = true;
            for held in self.held.values() {
                held.stop.cancel();
            }
        }
        if deadline.is_none() && self.due.is_some_and(|due| due <= now) {
            self.due = None;
            self.metrics.calls.inc();
            match engine::fire_timers(&self.db, None).await {
                Ok(fired) => {
                    self.hungry |= !fired.wake_for.is_empty();
                    self.tell_others(fired.wake_for);
                    if let Some(at) = fired.next_due_at {
                        self.set_alarm(at);
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "could not wake due steps; retrying");
                    self.due = Some(now + Duration::from_millis(500));
                }
            }
        }
    }

    /// Extends the leases of steps that have run for a while; stops those that are no longer ours.
    async fn beat(&mut self) {
        let old: Vec<(Uuid, Uuid)> = self
            .held
            .iter()
            .filter(|(_, held)| held.since.elapsed() > Duration::from_millis(500))
            .map(|(step, held)| (*step, held.token))
            .collect();
        if old.is_empty() {
            return;
        }
        self.metrics.calls.inc();
        match engine::extend_leases(&self.db, &old, self.lease).await {
            Ok(good) => {
                for (step, _) in old.iter().filter(|(_, token)| !good.contains(token)) {
                    if let Some(held) = self.held.get(step) {
                        held.stop.cancel();
                    }
                }
            }
            // The leases hold for a while yet.
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
