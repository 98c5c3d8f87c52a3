//! What any worker does from time to time: take back leases, ring, enforce deadlines, keep the event log.

mod report_checks;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use nofx_shared::artifacts;
use nofx_shared::db::{Db, Error};
use nofx_shared::engine;
use nofx_shared::queue::{Queue, Ring};
use tokio_util::sync::CancellationToken;

use crate::consume::Tools;
use crate::doorbell::Bell;

/// All jobs with their periods. An idle worker makes ten calls a minute: four rounds of two, and two for deadlines.
pub(crate) fn spawn(
    db: Db,
    tools: Arc<Tools>,
    lease: Duration,
    bell: Bell,
    queue: Arc<Queue>,
    stop: CancellationToken,
) -> tokio::task::JoinHandle<()> {
    let often = Duration::from_secs(15).min(lease / 2);
    tokio::spawn(async move {
        let sweeping = every(often, || async {
            // A busy hour leaves more hand-outs than one call looks at: what is late must not wait behind them.
            loop {
                let expired = engine::expire_leases(&db).await?;
                if expired.lost > 0 {
                    bell.ring();
                }
                if !expired.more {
                    break;
                }
            }
            let rang = engine::ring_doorbells(&db).await?;
            if rang.checks {
                tools.checks.notify_one();
            }
            let rung = rang.rung;
            if !rung.is_empty() {
                bell.ring();
                if let Err(error) = queue.ring(rung.into_iter().map(Ring::of).collect()).await {
                    tracing::warn!(error = &error as &dyn std::error::Error, "cannot ring for late steps; the next round will");
                }
            }
            Ok(())
        });
        let deadlines = every(Duration::from_secs(30), || async { engine::enforce_deadlines(&db).await.map(drop) });
        let keeping = every(Duration::from_secs(3600), || async {
            engine::retain_events(&db).await?;
            engine::forget_requests(&db).await?;
            expire_artifacts(&db, &tools).await?;
            tools.workspaces.prune(Duration::from_secs(24 * 3600)).await;
            Ok(())
        });
        let reporting = report_checks::run(db.clone(), Arc::clone(&tools), stop.clone());
        tokio::select! { () = reporting => {}, () = sweeping => {}, () = deadlines => {}, () = keeping => {}, () = stop.cancelled() => {} }
    })
}

/// Forgets artifacts whose time is over, and removes their bytes. Bytes that could not be removed are told again the next time.
async fn expire_artifacts(db: &Db, tools: &Tools) -> Result<(), Error> {
    loop {
        let blobs = artifacts::expire_artifacts(db).await?;
        if blobs.is_empty() {
            return Ok(());
        }
        if let Err(error) = tools.storage.remove(&blobs).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "cannot remove artifacts whose time is over; the next round will");
            return Ok(());
        }
        artifacts::forget_blobs(db, &blobs).await?;
    }
}

async fn every<F: Future<Output = Result<(), Error>>>(period: Duration, job: impl Fn() -> F) {
    loop {
        if let Err(error) = job().await {
            tracing::warn!(%error, "a job failed; it is tried again at its next time");
        }
        tokio::time::sleep(period).await;
    }
}
