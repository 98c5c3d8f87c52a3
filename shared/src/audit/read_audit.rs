//! `read_audit`: the rows of a tenant's audit log, page by page.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{AuditEntry, AuditHead};
use crate::db::{Db, Error};

/// A page of a tenant's audit log, and where the log ends.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Page {
    pub head: AuditHead,
    pub rows: Vec<AuditEntry>,
}

/// Reads the rows of the caller's audit log after `after`.
pub async fn read_audit(db: &Db, after: i64, limit: usize) -> Result<Page, Error> {
    db.call("read_audit", &json!({"p_after": after, "p_limit": limit})).await
}
