//! `settle_write`: carries out the write of a `db_write` step and settles the step, both or neither.

use std::time::Duration;

use serde_json::{Value, json};

use super::Settled;
use crate::db::{Db, Error};

/// Settles a row made by `Outcome::row` of a write, and claims up to `capacity` steps. A write that is refused, or that takes five seconds,
/// fails its step.
pub async fn settle_write(db: &Db, worker: &str, row: &Value, capacity: usize, lease: Duration) -> Result<Settled, Error> {
    let arguments =
        json!({"p_worker": worker, "p_outcome": row, "p_capacity": capacity, "p_lease": format!("{} seconds", lease.as_secs_f64())});
    db.call("settle_write", &arguments).await
}
