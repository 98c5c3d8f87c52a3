//! What the processes of a run's steps used and cost. The database adds it up, and computes the cost, when an outcome is settled.

use serde::{Deserialize, Serialize};

/// What the processes of all attempts of a run used, also of those that are parked.
#[derive(Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct RunUsage {
    /// From start to end of each process, in milliseconds.
    pub wall_ms: u64,
    /// Processor time, in milliseconds.
    pub cpu_ms: u64,
    /// Peak memory of the largest process, in bytes.
    pub max_rss_bytes: u64,
    /// In millionths of a USD, by the prices that were valid then; 0 for what ran beside the worker.
    pub cost_micro_usd: u64,
}

/// How a run is read with it: null when no process ran.
pub(crate) const EMBEDDED: &str = "sandbox:run_usage(wall_ms,cpu_ms,max_rss_bytes,cost_micro_usd)";
