//! `settle_steps`: reports the outcomes of steps and claims the next ones.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::ClaimedStep;
use crate::db::{Db, Error};

/// The result of `settle_steps`.
#[derive(Debug, Deserialize)]
pub struct Settled {
    /// Tokens that are no longer valid: the outcomes of those attempts do not count.
    pub refused: Vec<Uuid>,
    /// Steps to execute next.
    #[serde(deserialize_with = "ClaimedStep::read_all")]
    pub claims: Vec<ClaimedStep>,
    /// Runs in which more steps became ready than were claimed: wake other workers for them.
    pub wake_for: Vec<Uuid>,
    /// The earliest timer that this settle set.
    pub next_due_at: Option<DateTime<Utc>>,
    /// Whether gates of these runs are reported to a forge.
    pub has_checks: bool,
    /// Whether there are hooks for events.
    pub has_hooks: bool,
    /// What the processes of these outcomes cost, by driver, in millionths of a USD; none when none ran.
    pub sandbox_micro_usd: Option<BTreeMap<String, u64>>,
}

/// Settles a batch of rows made by `Outcome::row`, and claims up to `capacity` steps.
pub async fn settle_steps(db: &Db, worker: &str, rows: &[Value], capacity: usize, lease: Duration) -> Result<Settled, Error> {
    let arguments =
        json!({"p_worker": worker, "p_outcomes": rows, "p_capacity": capacity, "p_lease": format!("{} seconds", lease.as_secs_f64())});
    db.call("settle_steps", &arguments).await
}
