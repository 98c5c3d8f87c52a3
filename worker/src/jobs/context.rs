//! What jobs use, and what a worker reports about itself in its heartbeat.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use nofx_shared::db::Db;
use nofx_shared::engine::WorkerHeartbeat;
use nofx_shared::queue::Queue;

use crate::listener::Wakeups;
use crate::metrics::Metrics;
use crate::process_usage::ProcessUsage;
use crate::step::Services;

/// Everything that jobs use.
pub(crate) struct JobContext {
    pub db: Db,
    pub services: Arc<Services>,
    pub metrics: Arc<Metrics>,
    pub wakeups: Wakeups,
    pub queue: Arc<Queue>,
    pub identity: WorkerIdentity,
}

/// The parts of a worker's heartbeat that do not change.
pub(crate) struct WorkerIdentity {
    pub name: String,
    pub region: Option<String>,
    pub concurrency: usize,
    pub started_at: DateTime<Utc>,
}

impl WorkerIdentity {
    pub(super) fn heartbeat(&self, metrics: &Metrics) -> WorkerHeartbeat {
        WorkerHeartbeat {
            name: self.name.clone(),
            region: self.region.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            running: u32::try_from(metrics.running.get()).unwrap_or(0),
            concurrency: u32::try_from(self.concurrency).unwrap_or(u32::MAX),
            memory_bytes: ProcessUsage::measure().memory_bytes.unsigned_abs(),
            started_at: self.started_at,
            seen_at: None,
        }
    }
}
