//! `expire_leases`: makes steps ready again whose lease ran out.

use serde::Deserialize;
use serde_json::json;

use crate::db::{Db, Error};

/// What `expire_leases` did.
#[derive(Debug, Deserialize)]
pub struct Expired {
    /// How many leases expired.
    pub expired: u32,
    /// Whether more is due than one call handles.
    pub more: bool,
}

/// Expires the leases of workers that crashed or became unreachable.
pub async fn expire_leases(db: &Db) -> Result<Expired, Error> {
    db.call("expire_leases", &json!({})).await
}
