//! Background jobs that every worker runs: expire leases, fire timers, enforce deadlines, maintain events, deliver hooks, report checks.

mod deliver_hooks;
mod report_checks;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use nofx_shared::artifacts;
use nofx_shared::audit;
use nofx_shared::crypto::Keyring;
use nofx_shared::db::{Db, Error};
use nofx_shared::engine::WorkerHeartbeat;
use nofx_shared::queue::{Queue, WakeUp};
use nofx_shared::{containment, engine};
use tokio_util::sync::CancellationToken;

use crate::listener::Wakeups;
use crate::metrics::Metrics;
use crate::process_usage::ProcessUsage;
use crate::step::Services;

/// Everything that jobs use.
pub(crate) struct JobContext {
    pub db: Db,
    pub services: Arc<Services>,
    pub metrics: Arc<Metrics>,
    pub wakeups: Wakeups,
    pub queue: Arc<Queue>,
    pub identity: WorkerIdentity,
}

/// The parts of a worker's heartbeat that do not change.
pub(crate) struct WorkerIdentity {
    pub name: String,
    pub region: Option<String>,
    pub concurrency: usize,
    pub started_at: DateTime<Utc>,
}

impl WorkerIdentity {
    fn heartbeat(&self, metrics: &Metrics) -> WorkerHeartbeat {
        WorkerHeartbeat {
            name: self.name.clone(),
            region: self.region.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            running: u32::try_from(metrics.running.get()).unwrap_or(0),
            concurrency: u32::try_from(self.concurrency).unwrap_or(u32::MAX),
            memory_bytes: ProcessUsage::measure().memory_bytes()[0].1.unsigned_abs(),
            started_at: self.started_at,
            seen_at: None,
        }
    }
}

/// Starts all jobs. An idle worker makes twelve calls a minute: four sweeps of two, two for deadlines, one for the queues and one for the
/// audit log.
pub(crate) fn spawn(
    context: JobContext,
    sweep_interval: Duration,
    keys: Option<Keyring>,
    stop: CancellationToken,
) -> tokio::task::JoinHandle<()> {
    let JobContext { db, services, metrics, wakeups, queue, identity } = context;
    tokio::spawn(async move {
        let sweep = repeat(sweep_interval, || async {
            if engine::expire_all_leases(&db).await? > 0 {
                wakeups.wake();
            }
            let fired = engine::fire_timers(&db, Some(&identity.heartbeat(&metrics))).await?;
            if fired.has_checks {
                services.checks.notify_one();
            }
            if fired.has_hooks {
                services.hooks.notify_one();
            }
            let ready = fired.wake_for;
            if !ready.is_empty() {
                wakeups.wake();
                if let Err(error) = queue.wake(ready.into_iter().map(WakeUp::new).collect()).await {
                    tracing::warn!(error = &error as &dyn std::error::Error, "could not wake workers for late steps; the next round will");
                }
            }
            Ok(())
        });
        let deadlines = repeat(Duration::from_secs(30), || async { engine::enforce_deadlines(&db).await.map(drop) });
        let prune = repeat(Duration::from_secs(3600), || async {
            engine::maintain_event_partitions(&db).await?;
            engine::prune_requests(&db).await?;
            engine::prune_logs(&db).await?;
            expire_artifacts(&db, &services).await?;
            services.workspaces.prune(Duration::from_secs(24 * 3600)).await;
            Ok(())
        });
        let watch_queues = repeat(Duration::from_secs(60), || async { containment::watch_queues(&db).await.map(drop) });
        let seal_payloads = repeat(Duration::from_secs(60), || async {
            while let Some(keys) = &keys
                && audit::seal_payloads(&db, keys).await? > 0
            {}
            Ok(())
        });
        let deliver_hooks = deliver_hooks::run(db.clone(), Arc::clone(&services), Arc::clone(&metrics), stop.clone());
        let report_checks = report_checks::run(db.clone(), Arc::clone(&services), stop.clone());
        tokio::select! { () = report_checks => {}, () = sweep => {}, () = deadlines => {}, () = watch_queues => {}, () = seal_payloads => {}, () = deliver_hooks => {}, () = prune => {}, () = stop.cancelled() => {} }
    })
}

/// Deletes artifacts at the end of their retention, and their content. Content that could not be deleted is listed again the next time.
async fn expire_artifacts(db: &Db, services: &Services) -> Result<(), Error> {
    loop {
        let blobs = artifacts::expire_artifacts(db).await?;
        if blobs.is_empty() {
            return Ok(());
        }
        if let Err(error) = services.storage.remove(&blobs).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "could not delete expired artifacts; the next round will");
            return Ok(());
        }
        artifacts::confirm_blobs_deleted(db, &blobs).await?;
    }
}

async fn repeat<F: Future<Output = Result<(), Error>>>(period: Duration, job: impl Fn() -> F) {
    loop {
        if let Err(error) = job().await {
            tracing::warn!(%error, "a job failed; the next run will retry");
        }
        tokio::time::sleep(period).await;
    }
}
