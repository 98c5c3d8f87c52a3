//! What runs keep: bytes named by their digest, statements of where they came from, and what was made of them.

mod attest;
mod expire;
mod record;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::crypto::hex;

pub use attest::{Attestation, Material, PAYLOAD_TYPE, Provenance, Statement, Subject, approval, provenance, test_result};
pub use expire::{expire_artifacts, confirm_blobs_deleted};
pub use record::{NewArtifact, UsedArtifact, record_artifact, record_attestation, register_signing_key, use_artifact};

/// `sha256:<hex>` of bytes.
pub fn digest(bytes: &[u8]) -> String {
    spell(&Sha256::digest(bytes))
}

/// `sha256:<hex>` of a digest that was computed piece by piece.
pub fn spell(digest: &[u8]) -> String {
    format!("sha256:{}", hex(digest))
}

/// Where bytes are in Storage: the same bytes of a tenant once, whoever made them. Tenants share nothing, not even that somebody has
/// the same bytes.
pub fn blob(tenant: Uuid, digest: &str) -> String {
    format!("tenants/{tenant}/{}", digest.replace(':', "/"))
}
