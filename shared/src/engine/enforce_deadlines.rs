//! `enforce_deadlines`: cancels runs whose deadline has passed.

use serde_json::json;

use crate::db::{Db, Error};

/// Returns how many runs were cancelled.
pub async fn enforce_deadlines(db: &Db) -> Result<u32, Error> {
    db.call("enforce_deadlines", &json!({})).await
}
