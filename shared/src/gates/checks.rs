//! Gates as forges show them.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::db::{Db, Error};

/// A gate whose status is to be reported to the forge.
#[derive(Debug, Deserialize)]
pub struct Check {
    pub step_id: Uuid,
    pub tenant_id: Uuid,
    pub run_id: Uuid,
    pub name: String,
    pub tool: String,
    /// owner/name
    pub repository: String,
    pub head_sha: String,
    /// The forge's id of the check, once it was reported.
    pub check_id: Option<u64>,
    pub reported_status: Option<String>,
    /// queued, `in_progress` or completed.
    pub state: String,
    /// The step's own status.
    pub status: String,
    pub error: Option<Value>,
    pub started_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    pub question: Option<String>,
    pub evidence: Option<StoredEvidence>,
}

/// Where evidence is in Storage.
#[derive(Debug, Deserialize)]
pub struct StoredEvidence {
    pub blob: String,
}

/// Claims checks to report; no other worker gets them for 20 seconds.
pub async fn claim_checks(db: &Db) -> Result<Vec<Check>, Error> {
    db.call("claim_checks", &json!({})).await
}

/// Records what was reported to the forge. Returns whether the step has moved on meanwhile.
pub async fn mark_check_reported(db: &Db, check: &Check, check_id: u64) -> Result<bool, Error> {
    db.call("mark_check_reported", &json!({"p_step": check.step_id, "p_status": check.state, "p_check_id": check_id})).await
}

/// Reruns a gate on request of someone at the forge.
pub async fn rerun_check(db: &Db, step: Uuid, repository: &str) -> Result<Value, Error> {
    db.call("rerun_check", &json!({"p_step": step, "p_repository": repository})).await
}
