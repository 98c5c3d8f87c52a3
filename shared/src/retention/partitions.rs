//! Partitions of the event log, and rows whose retention is fixed.

use serde_json::json;

use crate::db::{Db, Error};

/// Creates and drops partitions of the event log; returns those that were dropped.
pub async fn maintain_event_partitions(db: &Db) -> Result<Vec<String>, Error> {
    db.call("maintain_event_partitions", &json!({})).await
}

/// Deletes old log chunks of steps; returns how many.
pub async fn prune_logs(db: &Db) -> Result<u32, Error> {
    db.call("prune_logs", &json!({})).await
}

/// Deletes old idempotency keys; returns how many.
pub async fn prune_requests(db: &Db) -> Result<u32, Error> {
    db.call("prune_requests", &json!({})).await
}
