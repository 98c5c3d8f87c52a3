//! Content of deleted artifacts, which is deleted after them.

use serde_json::json;

use crate::db::{Db, Error};

/// Lists blobs to delete from Storage: those of deleted artifacts that no other artifact has, until their deletion is confirmed.
pub async fn blobs_to_delete(db: &Db) -> Result<Vec<String>, Error> {
    db.call("blobs_to_delete", &json!({})).await
}

/// Confirms that blobs were deleted from Storage.
pub async fn confirm_blobs_deleted(db: &Db, blobs: &[String]) -> Result<(), Error> {
    db.call("confirm_blobs_deleted", &json!({"p_blobs": blobs})).await
}
