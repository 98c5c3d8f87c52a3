//! Content of deleted artifacts, which is deleted after them.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::db::{Db, Error};

/// Content that only the holder of the lease deletes.
#[derive(Debug, Deserialize)]
pub struct BlobRemoval {
    pub lease: Uuid,
    pub blobs: Vec<String>,
}

/// Leases blobs to delete from Storage: those of deleted artifacts that no other artifact has. No deletion may begin after the lease.
pub async fn blobs_to_delete(db: &Db, lease: Duration) -> Result<BlobRemoval, Error> {
    db.call("blobs_to_delete", &json!({"p_lease": format!("{} seconds", lease.as_secs())})).await
}

/// Confirms that blobs were deleted from Storage.
pub async fn confirm_blobs_deleted(db: &Db, removal: &BlobRemoval) -> Result<(), Error> {
    let _: i32 = db.call("confirm_blobs_deleted", &json!({"p_lease": removal.lease, "p_blobs": removal.blobs})).await?;
    Ok(())
}
