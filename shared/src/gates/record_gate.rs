//! `record_gate`: the verdict of a gate that a tool decided. Refused once the lease has expired.

use serde_json::json;
use uuid::Uuid;

use crate::db::{Db, Error};
use crate::engine::ClaimedStep;

/// Records a verdict about the tree and the snapshot that the step began with, if there were such; none when the lease has expired.
pub async fn record_gate(
    db: &Db,
    step: &ClaimedStep,
    passed: bool,
    evidence_uri: &str,
    tree: Option<&str>,
    snapshot: Option<&str>,
) -> Result<Option<Uuid>, Error> {
    let arguments = json!({
        "p_step": step.id, "p_token": step.token, "p_passed": passed, "p_evidence_uri": evidence_uri, "p_tree": tree, "p_snapshot": snapshot,
    });
    db.call("record_gate", &arguments).await
}
