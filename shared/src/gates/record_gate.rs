//! `record_gate`: the verdict of a gate that a tool decided. Refused once the lease has expired.

use serde_json::json;
use uuid::Uuid;

use crate::db::{Db, Error};
use crate::engine::ClaimedStep;

/// Records a verdict; none when the lease has expired.
pub async fn record_gate(db: &Db, step: &ClaimedStep, passed: bool, evidence_uri: &str) -> Result<Option<Uuid>, Error> {
    db.call("record_gate", &json!({"p_step": step.id, "p_token": step.token, "p_passed": passed, "p_evidence_uri": evidence_uri})).await
}
