//! What any worker does from time to time: take back leases, ring, enforce deadlines, keep the event log.

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

use crate::consume::Services;
use crate::listener::Wakeups;
use crate::metrics::Metrics;
use crate::process_usage::ProcessUsage;

/// What jobs reach.
pub(crate) struct Shared {
    pub db: Db,
    pub services: Arc<Services>,
    pub metrics: Arc<Metrics>,
    pub wakeups: Wakeups,
    pub queue: Arc<Queue>,
    pub me: Me,
}

/// What this worker says of itself.
pub(crate) struct Me {
    pub name: String,
    pub region: Option<String>,
    pub concurrency: usize,
    pub started_at: DateTime<Utc>,
}

impl Me {
    fn now(&self, metrics: &Metrics) -> WorkerHeartbeat {
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

/// All jobs with their periods. An idle worker makes twelve calls a minute: four rounds of two, two for deadlines, a look at the queues and
/// one at the audit log.
pub(crate) fn spawn(shared: Shared, often: Duration, keys: Option<Keyring>, stop: CancellationToken) -> tokio::task::JoinHandle<()> {
    let Shared { db, services, metrics, wakeups, queue, me } = shared;
    tokio::spawn(async move {
        let sweeping = every(often, || async {
            // A busy hour leaves more hand-outs than one call looks at: what is late must not wait behind them.
            loop {
                let expired = engine::expire_leases(&db).await?;
                if expired.expired > 0 {
                    wakeups.wake();
                }
                if !expired.more {
                    break;
                }
            }
            let fired = engine::fire_timers(&db, Some(&me.now(&metrics))).await?;
            if fired.has_checks {
                services.checks.notify_one();
            }
            if fired.has_hooks {
                services.hooks.notify_one();
            }
            let rung = fired.wake_for;
            if !rung.is_empty() {
                wakeups.wake();
                if let Err(error) = queue.wake(rung.into_iter().map(WakeUp::new).collect()).await {
                    tracing::warn!(error = &error as &dyn std::error::Error, "could not wake workers for late steps; the next round will");
                }
            }
            Ok(())
        });
        let deadlines = every(Duration::from_secs(30), || async { engine::enforce_deadlines(&db).await.map(drop) });
        let keeping = every(Duration::from_secs(3600), || async {
            engine::maintain_event_partitions(&db).await?;
            engine::prune_requests(&db).await?;
            engine::prune_logs(&db).await?;
            expire_artifacts(&db, &services).await?;
            services.workspaces.prune(Duration::from_secs(24 * 3600)).await;
            Ok(())
        });
        let watching = every(Duration::from_secs(60), || async { containment::watch_queues(&db).await.map(drop) });
        let sealing = every(Duration::from_secs(60), || async {
            while let Some(keys) = &keys
                && audit::seal_payloads(&db, keys).await? > 0
            {}
            Ok(())
        });
        let delivering = deliver_hooks::run(db.clone(), Arc::clone(&services), Arc::clone(&metrics), stop.clone());
        let reporting = report_checks::run(db.clone(), Arc::clone(&services), stop.clone());
        tokio::select! { () = reporting => {}, () = sweeping => {}, () = deadlines => {}, () = watching => {}, () = sealing => {}, () = delivering => {}, () = keeping => {}, () = stop.cancelled() => {} }
    })
}

/// Forgets artifacts whose time is over, and removes their bytes. Bytes that could not be removed are told again the next time.
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

async fn every<F: Future<Output = Result<(), Error>>>(period: Duration, job: impl Fn() -> F) {
    loop {
        if let Err(error) = job().await {
            tracing::warn!(%error, "a job failed; the next run will retry");
        }
        tokio::time::sleep(period).await;
    }
}
