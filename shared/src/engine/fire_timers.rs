//! `fire_timers`: wakes steps whose timer is due, and workers for ready steps that nobody claimed.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::WorkerHeartbeat;
use crate::db::{Db, Error};

/// The result of `fire_timers`.
#[derive(Debug, Deserialize)]
pub struct TimersFired {
    /// Ready steps to send to the queue.
    pub wake_for: Vec<Uuid>,
    /// When the next timer is due.
    pub next_due_at: Option<DateTime<Utc>>,
    /// Whether gates may have to be reported to forges.
    pub has_checks: bool,
    /// Whether there may be hooks to deliver to.
    pub has_hooks: bool,
}

/// Fires due timers. A worker that calls also reports its own state.
pub async fn fire_timers(db: &Db, worker: Option<&WorkerHeartbeat>) -> Result<TimersFired, Error> {
    db.call("fire_timers", &json!({"p_worker": worker})).await
}
