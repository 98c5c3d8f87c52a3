//! Artifacts that a step saves and uses. Refused once its lease has expired.

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::Attestation;
use crate::crypto::PublicKey;
use crate::db::{Db, Error};
use crate::engine::ClaimedStep;

/// An artifact to record; its content is in Storage already.
#[derive(Clone, Debug, Serialize)]
pub struct NewArtifact {
    pub name: String,
    /// Its media type.
    pub r#type: String,
    /// A relative reference that is unique in the tenant: `runs/<run>/steps/<step>/<name>`.
    pub uri: String,
    /// The path of its content in Storage.
    pub blob: String,
    pub size_bytes: usize,
    /// `sha256:<hex>` of its bytes.
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

/// Records an artifact with its attestations, all or none; none when the lease has expired.
pub async fn record_artifact(db: &Db, step: &ClaimedStep, artifact: &NewArtifact) -> Result<Option<Uuid>, Error> {
    db.call("record_artifact", &json!({"p_step": step.id, "p_token": step.token, "p_artifact": artifact})).await
}

/// Records an attestation about a step; none when the lease has expired.
pub async fn record_attestation(db: &Db, step: &ClaimedStep, attestation: &Attestation) -> Result<Option<Uuid>, Error> {
    db.call("record_attestation", &json!({"p_step": step.id, "p_token": step.token, "p_attestation": attestation})).await
}

/// Records that a step uses an artifact of its tenant, and returns it; none when the lease has expired.
pub async fn use_artifact(db: &Db, step: &ClaimedStep, artifact: Uuid) -> Result<Option<UsedArtifact>, Error> {
    db.call("use_artifact", &json!({"p_step": step.id, "p_token": step.token, "p_artifact": artifact})).await
}

/// Publishes the public half of a worker's key.
pub async fn register_signing_key(db: &Db, key: &PublicKey) -> Result<(), Error> {
    db.call("register_signing_key", &json!({"p_key": key})).await
}
