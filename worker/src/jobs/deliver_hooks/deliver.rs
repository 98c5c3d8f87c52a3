//! Deliveries that are due are attempted, each in a task of its own: when one has ended, the next is claimed. Whose turn it is, and how many
//! may be on their way to one receiver, the database decides.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use nofx_shared::db::Db;
use nofx_shared::hooks::{self, DueDelivery};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::attempt::attempt;
use crate::metrics::Metrics;
use crate::step::Services;

/// Attempts at once.
const MAX_ATTEMPTS: usize = 64;
/// Longest sleep: the sweep wakes this job anyway.
const MAX_SLEEP: Duration = Duration::from_secs(3600);
/// Wait after a failure.
const BACKOFF: Duration = Duration::from_secs(5);

pub(super) async fn run(db: &Db, services: &Arc<Services>, metrics: &Arc<Metrics>, queued: &Notify, stop: &CancellationToken) {
    let mut attempts = JoinSet::new();
    let mut sleep = MAX_SLEEP;
    loop {
        tokio::select! {
            () = queued.notified() => {}
            Some(_) = attempts.join_next() => {
                // All that have ended by now make room in the same claim. One that failed inside the worker is due again.
                while attempts.try_join_next().is_some() {}
            }
            () = tokio::time::sleep(sleep) => {}
            () = stop.cancelled() => return,
        }
        let free = MAX_ATTEMPTS - attempts.len();
        if free == 0 {
            sleep = MAX_SLEEP;
            continue;
        }
        match hooks::claim_deliveries(db, free).await {
            Ok(claimed) => {
                for due in claimed.due {
                    attempts.spawn(deliver(db.clone(), Arc::clone(services), Arc::clone(metrics), due));
                }
                let wait = claimed.next_at.map(|at| (at - Utc::now()).to_std().unwrap_or_default());
                sleep = wait.unwrap_or(MAX_SLEEP).max(Duration::from_millis(100));
            }
            Err(error) => {
                tracing::warn!(%error, "could not claim deliveries of hooks; retrying");
                sleep = BACKOFF;
            }
        }
    }
}

async fn deliver(db: Db, services: Arc<Services>, metrics: Arc<Metrics>, due: DueDelivery) {
    let result = attempt(&db, &services, &due).await;
    let outcome = if result["delivered"] == true { "delivered" } else { "failed" };
    metrics.hook_deliveries.get_or_create(&vec![("outcome", outcome.to_owned())]).inc();
    if let Err(error) = hooks::record_delivery_attempt(&db, due.id, &result).await {
        tracing::warn!(%error, delivery = %due.id, "could not record a delivery attempt; the delivery will be repeated");
    }
}
