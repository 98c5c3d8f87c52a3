//! Retention: expired artifacts, and their content.

use serde_json::json;

use crate::db::{Db, Error};

/// Deletes expired artifacts; returns the blobs to delete from Storage.
pub async fn expire_artifacts(db: &Db) -> Result<Vec<String>, Error> {
    db.call("expire_artifacts", &json!({})).await
}

/// Confirms that blobs were deleted from Storage.
pub async fn confirm_blobs_deleted(db: &Db, blobs: &[String]) -> Result<(), Error> {
    db.call("confirm_blobs_deleted", &json!({"p_blobs": blobs})).await
}
