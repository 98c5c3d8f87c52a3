//! The verdict of a gate. Refused when the lease is lost.

use serde_json::json;
use uuid::Uuid;

use super::ClaimedStep;
use crate::db::{Db, Error};

/// Records the verdict of a gate that a tool decided; nothing when the lease was lost.
pub async fn record_gate(db: &Db, step: &ClaimedStep, passed: bool, evidence: &str) -> Result<Option<Uuid>, Error> {
    db.call("record_gate", &json!({"p_step": step.id, "p_token": step.token, "p_passed": passed, "p_evidence": evidence})).await
}
