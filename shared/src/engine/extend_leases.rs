//! `extend_leases`: the heartbeat.

use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use crate::db::{Db, Error};

/// Extends leases. A token that is missing from the response has expired, or its run is being cancelled.
pub async fn extend_leases(db: &Db, held: &[(Uuid, Uuid)], lease: Duration) -> Result<Vec<Uuid>, Error> {
    let (steps, tokens): (Vec<_>, Vec<_>) = held.iter().copied().unzip();
    let arguments = json!({"p_steps": steps, "p_tokens": tokens, "p_lease": format!("{} seconds", lease.as_secs_f64())});
    db.call("extend_leases", &arguments).await
}
