//! `settle_steps`: what a worker did, and the next work for it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::ClaimedStep;
use crate::db::{Db, Error};

/// What came back.
#[derive(Debug, Deserialize)]
pub struct Settled {
    /// Tokens that were no longer good: what those attempts did does not count.
    pub refused: Vec<Uuid>,
    /// Steps to execute next.
    pub claims: Vec<ClaimedStep>,
    /// Runs in which more became ready than was claimed: others should look at them.
    pub wake_for: Vec<Uuid>,
    /// The earliest timer that this settle set.
    pub next_due_at: Option<DateTime<Utc>>,
    /// Whether a forge shows gates of these runs.
    pub has_checks: bool,
    /// Whether hooks want to be told of events.
    pub has_hooks: bool,
}

/// Settles a batch of rows made by `Outcome::row`, and claims up to `capacity` steps.
pub async fn settle_steps(db: &Db, worker: &str, rows: &[Value], capacity: usize, lease: Duration) -> Result<Settled, Error> {
    let arguments =
        json!({"p_worker": worker, "p_outcomes": rows, "p_capacity": capacity, "p_lease": format!("{} seconds", lease.as_secs_f64())});
    db.call("settle_steps", &arguments).await
}
