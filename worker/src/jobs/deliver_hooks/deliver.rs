//! The loop: events become deliveries, and deliveries that are due are attempted until none is.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use futures::future::join_all;
use nofx_shared::db::Db;
use nofx_shared::events::{CloudEvent, Cursor};
use nofx_shared::hooks::{self, Delivery, HookBatch};
use tokio_util::sync::CancellationToken;

use super::attempt::attempt;
use crate::metrics::Metrics;
use crate::step::Services;

/// Longest sleep: the sweep wakes this job anyway.
const MAX_SLEEP: Duration = Duration::from_secs(3600);
/// Wait between a settle and the read of its events: they are readable once older transactions have ended.
const READ_DELAY: Duration = Duration::from_millis(100);

pub(in crate::jobs) async fn run(db: Db, services: Arc<Services>, metrics: Arc<Metrics>, stop: CancellationToken) {
    let mut sleep = MAX_SLEEP;
    loop {
        tokio::select! {
            () = services.hooks.notified() => tokio::time::sleep(READ_DELAY).await,
            () = tokio::time::sleep(sleep) => {}
            () = stop.cancelled() => return,
        }
        match deliver_due(&db, &services, &metrics).await {
            Ok(next) => sleep = next,
            Err(error) => {
                tracing::warn!(%error, "could not deliver hooks; retrying");
                sleep = Duration::from_secs(5);
            }
        }
    }
}

/// Reads events and attempts deliveries until none is due; returns the time until the next one is.
async fn deliver_due(db: &Db, services: &Services, metrics: &Metrics) -> Result<Duration, nofx_shared::db::Error> {
    loop {
        let unread = hooks::read_hook_events(db).await?;
        for batch in &unread {
            enqueue(db, batch).await?;
        }
        let claimed = hooks::claim_deliveries(db).await?;
        if unread.is_empty() && claimed.due.is_empty() {
            let wait = claimed.next_at.map(|at| (at - Utc::now()).to_std().unwrap_or_default());
            return Ok(wait.unwrap_or(MAX_SLEEP).max(Duration::from_millis(100)));
        }
        join_all(claimed.due.iter().map(|due| async {
            let result = attempt(db, services, due).await;
            let outcome = if result["delivered"] == true { "delivered" } else { "failed" };
            metrics.hook_deliveries.get_or_create(&vec![("outcome", outcome.to_owned())]).inc();
            if let Err(error) = hooks::record_delivery_attempt(db, due.id, &result).await {
                tracing::warn!(%error, delivery = %due.id, "could not record a delivery attempt; the delivery will be repeated");
            }
        }))
        .await;
    }
}

/// Enqueues a delivery for each hook whose filter matches an event.
async fn enqueue(db: &Db, batch: &HookBatch) -> Result<(), nofx_shared::db::Error> {
    let Some(last) = batch.events.last().map(nofx_shared::events::EventRow::cursor) else { return Ok(()) };
    let mut deliveries = vec![];
    for row in &batch.events {
        let event = CloudEvent::from(row.clone());
        let value = serde_json::to_value(&event).unwrap_or_default();
        let matching = batch.hooks.iter().filter(|hook| hooks::matches(&hook.filter, Some(&value), None));
        deliveries.extend(matching.map(|hook| Delivery {
            hook_id: hook.id,
            dedup_key: event.id.clone(),
            body: value.to_string(),
            run_id: event.runid,
        }));
    }
    let from = Cursor { tx: batch.tx, id: batch.id };
    hooks::advance_hook_cursor(db, batch.tenant_id, from, last, &deliveries).await.map(drop)
}
