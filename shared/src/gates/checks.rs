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
    /// Where the run's workspace is from.
    #[serde(default)]
    pub workspace: Value,
    pub judged: Option<JudgedCommit>,
}

/// What the last verdict of a tool is about.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct JudgedCommit {
    /// The commit that was checked out.
    pub commit: Option<String>,
    /// Whether the workspace was exactly that.
    pub is_clean: Option<bool>,
    /// Why the verdict counts for no policy.
    pub uncounted: Option<String>,
}

/// Where evidence is in Storage.
#[derive(Debug, Deserialize)]
pub struct StoredEvidence {
    pub blob: String,
}

/// A check at the forge.
#[derive(Clone, Copy, Debug)]
pub struct ReportedCheck {
    pub id: u64,
    /// The App that shows it.
    pub app_id: Option<u64>,
}

/// A run of which gates run again.
#[derive(Debug, Deserialize)]
pub struct RerunChecks {
    pub run_id: Uuid,
    pub step_ids: Vec<Uuid>,
}

/// Claims checks to report; no other worker gets them for 90 seconds. Of a tenant 4 at most.
pub async fn claim_checks(db: &Db) -> Result<Vec<Check>, Error> {
    db.call("claim_checks", &json!({})).await
}

/// Records what was reported to the forge; none: this status is not shown there. Returns whether the step has moved on meanwhile.
pub async fn mark_check_reported(db: &Db, check: &Check, reported: Option<&ReportedCheck>) -> Result<bool, Error> {
    let (id, app_id) = (reported.map(|one| one.id), reported.and_then(|one| one.app_id));
    let arguments = json!({"p_step": check.step_id, "p_status": check.state, "p_check_id": id, "p_app_id": app_id});
    db.call("mark_check_reported", &arguments).await
}

/// Records why a check is not reported: nothing proves it of that commit of that repository.
pub async fn refuse_check(db: &Db, check: &Check, reason: &str) -> Result<(), Error> {
    db.call("refuse_check", &json!({"p_step": check.step_id, "p_reason": reason})).await
}

/// Records that the report of a check failed: it is due again later, and refused after the twelfth failure in a row.
pub async fn put_off_check(db: &Db, check: &Check, reason: &str) -> Result<(), Error> {
    db.call("put_off_check", &json!({"p_step": check.step_id, "p_reason": reason})).await
}

/// Reruns a gate on request of someone at the forge; returns its run.
pub async fn rerun_check(db: &Db, step: Uuid, repository: &str, app_id: u64) -> Result<Uuid, Error> {
    #[derive(Deserialize)]
    struct Run {
        id: Uuid,
    }
    let run: Run = db.call("rerun_check", &json!({"p_step": step, "p_repository": repository, "p_app": app_id})).await?;
    Ok(run.id)
}

/// Reruns all gates of a commit on request of someone at the forge.
pub async fn rerun_checks(db: &Db, repository: &str, head_sha: &str, app_id: u64) -> Result<Vec<RerunChecks>, Error> {
    db.call("rerun_checks", &json!({"p_repository": repository, "p_head_sha": head_sha, "p_app": app_id})).await
}
