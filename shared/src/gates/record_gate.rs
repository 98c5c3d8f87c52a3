//! `record_gate`: the verdict of a gate that a tool decided. Refused once the lease has expired.

use serde_json::{Value, json};
use uuid::Uuid;

use super::Evidence;
use crate::db::{Db, Error};
use crate::engine::ClaimedStep;

/// Records a verdict about the tree and the snapshot that the step began with, if there were such, with what policies and checks ask of its
/// evidence; none when the lease has expired.
pub async fn record_gate(
    db: &Db,
    step: &ClaimedStep,
    evidence: &Evidence,
    evidence_uri: &str,
    tree: Option<&str>,
    snapshot: Option<&str>,
) -> Result<Option<Uuid>, Error> {
    let is_clean = tree.zip(evidence.input("gitTree:", "commit tree")).map(|(tree, commit)| tree == commit);
    let arguments = json!({
        "p_step": step.id, "p_token": step.token, "p_passed": evidence.verdict.is_open(), "p_evidence_uri": evidence_uri,
        "p_asked": asked(evidence), "p_tree": tree, "p_commit": evidence.input("gitCommit:", "commit"), "p_is_clean": is_clean,
        "p_snapshot": snapshot,
    });
    db.call("record_gate", &arguments).await
}

/// What was asked, with the verdict.
fn asked(evidence: &Evidence) -> Value {
    let mut asked = serde_json::to_value(&evidence.asked).unwrap_or_default();
    if let Some(fields) = asked.as_object_mut() {
        fields.insert("verdict".to_owned(), json!(evidence.verdict));
    }
    asked
}
