//! `summarise_metrics`: the open work of a tenant in numbers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::db::{Db, Error};

/// The open work of a tenant.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MetricsSummary {
    /// How many runs have each unfinished status.
    pub runs: BTreeMap<String, u64>,
    /// Steps that a worker can claim.
    pub ready: u64,
    /// Steps that wait for a slot of `max_parallel` or of a concurrency key.
    pub throttled: u64,
    /// Steps that wait for their tenant's quota of parallel sandboxes.
    pub waiting_on_quota: u64,
    pub waiting_on_timer: u64,
    pub waiting_on_breaker: u64,
    pub gates_pending: u64,
    pub dead_letters: u64,
    pub breakers_open: u64,
    pub alerts_open: u64,
    /// Seconds that the oldest ready step has waited; null when none is ready.
    pub oldest_ready_s: Option<f64>,
}

/// Counts the open work of the caller's tenant.
pub async fn summarise_metrics(db: &Db) -> Result<MetricsSummary, Error> {
    db.call("summarise_metrics", &json!({})).await
}
