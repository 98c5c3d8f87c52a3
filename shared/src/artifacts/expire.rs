//! Retention: artifacts whose time is over, and their bytes.

use serde_json::json;

use crate::db::{Db, Error};

/// Forgets artifacts whose time is over; the bytes that are to go from Storage.
pub async fn expire_artifacts(db: &Db) -> Result<Vec<String>, Error> {
    db.call("expire_artifacts", &json!({})).await
}

/// Notes that bytes are gone from Storage.
pub async fn confirm_blobs_deleted(db: &Db, blobs: &[String]) -> Result<(), Error> {
    db.call("confirm_blobs_deleted", &json!({"p_blobs": blobs})).await
}
