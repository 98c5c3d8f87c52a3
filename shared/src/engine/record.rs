//! What a step keeps: artifacts and verdicts. Refused when the lease is lost.

use serde_json::json;
use uuid::Uuid;

use super::ClaimedStep;
use crate::db::{Db, Error};

/// Records an artifact whose bytes are in Storage; nothing when the lease was lost.
pub async fn record_artifact(
    db: &Db,
    step: &ClaimedStep,
    name: &str,
    path: &str,
    media_type: &str,
    size_bytes: usize,
    hash: &str,
) -> Result<Option<Uuid>, Error> {
    let arguments = json!({
        "p_step": step.id, "p_token": step.token, "p_name": name, "p_path": path, "p_media_type": media_type,
        "p_size_bytes": size_bytes, "p_hash": hash,
    });
    db.call("record_artifact", &arguments).await
}

/// Records the verdict of a gate that a tool decided; nothing when the lease was lost.
pub async fn record_gate(db: &Db, step: &ClaimedStep, passed: bool, evidence: &str) -> Result<Option<Uuid>, Error> {
    db.call("record_gate", &json!({"p_step": step.id, "p_token": step.token, "p_passed": passed, "p_evidence": evidence})).await
}
