//! What a step keeps and uses. Refused when the lease is lost.

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::Attestation;
use crate::crypto::PublicKey;
use crate::db::{Db, Error};
use crate::engine::ClaimedStep;

/// Bytes that are in Storage already, and what is said of them.
#[derive(Clone, Debug, Serialize)]
pub struct NewArtifact {
    pub name: String,
    /// What it is called within the tenant: `runs/<run>/steps/<step>/<name>`.
    pub path: String,
    /// Where its bytes are.
    pub blob: String,
    pub media_type: String,
    pub size_bytes: usize,
    pub hash: String,
    /// Provenance first.
    pub attestations: Vec<Attestation>,
}

/// An artifact that a step may read now.
#[derive(Debug, Deserialize)]
pub struct UsedArtifact {
    pub id: Uuid,
    pub name: String,
    pub blob: String,
    pub hash: String,
    pub size_bytes: u64,
}

/// Records an artifact with its statements, all or nothing; nothing when the lease was lost.
pub async fn record_artifact(db: &Db, step: &ClaimedStep, artifact: &NewArtifact) -> Result<Option<Uuid>, Error> {
    db.call("record_artifact", &json!({"p_step": step.id, "p_token": step.token, "p_artifact": artifact})).await
}

/// Records a statement about a step; nothing when the lease was lost.
pub async fn record_attestation(db: &Db, step: &ClaimedStep, attestation: &Attestation) -> Result<Option<Uuid>, Error> {
    db.call("record_attestation", &json!({"p_step": step.id, "p_token": step.token, "p_attestation": attestation})).await
}

/// Notes that a step uses an artifact of its tenant, and tells where its bytes are; nothing when the lease was lost.
pub async fn use_artifact(db: &Db, step: &ClaimedStep, artifact: Uuid) -> Result<Option<UsedArtifact>, Error> {
    db.call("use_artifact", &json!({"p_step": step.id, "p_token": step.token, "p_artifact": artifact})).await
}

/// Publishes the public half of a worker's key.
pub async fn register_signing_key(db: &Db, key: &PublicKey) -> Result<(), Error> {
    db.call("register_signing_key", &json!({"p_key": key})).await
}
