//! What workers do from time to time, whoever comes first.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::db::{Db, Error};

/// What `fire_timers` found.
#[derive(Debug, Deserialize)]
pub struct TimersFired {
    /// Ready steps to send to the queue.
    pub wake_for: Vec<Uuid>,
    /// The instant of the next timer.
    pub next_due_at: Option<DateTime<Utc>>,
    /// Whether forges may be behind on gates.
    pub has_checks: bool,
    /// Whether hooks may have to be told something.
    pub has_hooks: bool,
}

/// How a worker is: `nofx.worker`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WorkerHeartbeat {
    pub name: String,
    pub region: Option<String>,
    pub version: String,
    /// Steps that it holds now, and at most.
    pub running: u32,
    pub concurrency: u32,
    pub memory_bytes: u64,
    pub started_at: DateTime<Utc>,
    /// When it was heard of last; the database says so.
    #[serde(skip_serializing)]
    pub seen_at: Option<DateTime<Utc>>,
}

/// What `expire_leases` found.
#[derive(Debug, Deserialize)]
pub struct Expired {
    /// Leases that were taken back.
    pub expired: u32,
    /// Whether more is due than one call looks at.
    pub more: bool,
}

/// Takes back the steps of workers that went away.
pub async fn expire_leases(db: &Db) -> Result<Expired, Error> {
    db.call("expire_leases", &json!({})).await
}

/// Wakes what is due and rings again for what nobody picked up.
/// A worker that calls says how it is.
pub async fn fire_timers(db: &Db, worker: Option<&WorkerHeartbeat>) -> Result<TimersFired, Error> {
    db.call("fire_timers", &json!({"p_worker": worker})).await
}

/// Cancels runs whose deadline has passed; tells how many.
pub async fn enforce_deadlines(db: &Db) -> Result<u32, Error> {
    db.call("enforce_deadlines", &json!({})).await
}

/// Makes and drops partitions of the event log; tells which were dropped.
pub async fn maintain_event_partitions(db: &Db) -> Result<Vec<String>, Error> {
    db.call("maintain_event_partitions", &json!({})).await
}

/// Forgets pieces of logs that nobody watches any more; tells how many.
pub async fn prune_logs(db: &Db) -> Result<u32, Error> {
    db.call("prune_logs", &json!({})).await
}

/// Forgets old idempotency keys; tells how many.
pub async fn prune_requests(db: &Db) -> Result<u32, Error> {
    db.call("prune_requests", &json!({})).await
}
