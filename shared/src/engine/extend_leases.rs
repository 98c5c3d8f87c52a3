//! `extend_leases`: the heartbeat.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::db::{Db, Error};

/// A lease that is still valid.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct ExtendedLease {
    pub token: Uuid,
    /// Whether it is longer now. One whose step's row is locked ends when it did before.
    pub is_extended: bool,
}

/// Extends leases, of steps and their tokens. A token that is missing from the response has expired, or its run is being cancelled.
pub async fn extend_leases(db: &Db, held: &[(Uuid, Uuid)], lease: Duration) -> Result<Vec<ExtendedLease>, Error> {
    let (steps, tokens): (Vec<_>, Vec<_>) = held.iter().copied().unzip();
    let arguments = json!({"p_steps": steps, "p_tokens": tokens, "p_lease": format!("{} seconds", lease.as_secs_f64())});
    db.call("extend_leases", &arguments).await
}
