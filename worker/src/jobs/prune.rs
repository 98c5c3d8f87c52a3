//! Deletes what is older than its retention: events, requests, logs, artifacts and workspaces.

use std::time::Duration;

use nofx_shared::artifacts;
use nofx_shared::db::{Db, Error};
use nofx_shared::engine;

use super::context::JobContext;
use crate::step::Services;

pub(super) async fn run(context: &JobContext) -> Result<(), Error> {
    let JobContext { db, services, .. } = context;
    engine::maintain_event_partitions(db).await?;
    engine::prune_requests(db).await?;
    engine::prune_logs(db).await?;
    expire_artifacts(db, services).await?;
    services.workspaces.prune(Duration::from_secs(24 * 3600)).await;
    Ok(())
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
