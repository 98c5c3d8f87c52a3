//! Deletes what is older than its retention: history, requests, logs, content of deleted artifacts, and workspaces.

use std::time::Duration;

use nofx_shared::artifacts;
use nofx_shared::db::{Db, Error};
use nofx_shared::retention;

use super::context::JobContext;
use crate::step::Services;

/// Of each kind of history; what is left then waits for the next hour, so that none waits for another for long.
const MAX_BATCHES: usize = 1000;

/// Each is tried, whatever became of those before it. Returns the first error.
pub(super) async fn run(context: &JobContext) -> Result<(), Error> {
    let JobContext { db, services, metrics, .. } = context;
    let results = [
        retention::maintain_event_partitions(db).await.map(drop),
        retention::prune_requests(db).await.map(drop),
        retention::prune_logs(db).await.map(drop),
        retention::prune(db, MAX_BATCHES, |what, count| metrics.pruned(what, count)).await,
        delete_blobs(db, services).await,
    ];
    services.workspaces.prune(Duration::from_secs(24 * 3600)).await;
    results.into_iter().collect()
}

/// Deletes the content of deleted artifacts. What could not be deleted is listed again the next time.
async fn delete_blobs(db: &Db, services: &Services) -> Result<(), Error> {
    loop {
        let blobs = artifacts::blobs_to_delete(db).await?;
        if blobs.is_empty() {
            return Ok(());
        }
        if let Err(error) = services.storage.remove(&blobs).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "could not delete the content of artifacts; the next round will");
            return Ok(());
        }
        artifacts::confirm_blobs_deleted(db, &blobs).await?;
    }
}
