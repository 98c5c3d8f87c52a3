//! A worker as others see it: what it reports with `fire_timers`, and nothing else. Its leases are not here.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The state of a worker: a row of `nofx.worker`.
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
    /// When it last reported; set by the database.
    #[serde(skip_serializing)]
    pub seen_at: Option<DateTime<Utc>>,
}
