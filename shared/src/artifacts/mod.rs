//! Artifacts of runs: content named by its digest, attestations of where it came from, and lineage.

mod attest;
mod expire;
mod record;

use uuid::Uuid;

pub use attest::{Attestation, Material, PAYLOAD_TYPE, Provenance, Statement, Subject, approval, provenance, test_result};
pub use expire::{confirm_blobs_deleted, expire_artifacts};
pub use record::{NewArtifact, UsedArtifact, record_artifact, record_attestation, register_signing_key, use_artifact};

/// The path of content in Storage: the same bytes are stored once a tenant. Tenants share nothing, not even the knowledge that another one
/// has the same bytes.
pub fn blob_path(tenant: Uuid, digest: &str) -> String {
    format!("tenants/{tenant}/{}", digest.replace(':', "/"))
}
