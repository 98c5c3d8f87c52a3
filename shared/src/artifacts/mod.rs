//! Artifacts of runs: content named by its digest, attestations of its provenance, and lineage.

mod attest;
mod blob;
mod blobs;
mod record;

pub use attest::{Attestation, Material, PAYLOAD_TYPE, Provenance, Statement, Subject, approval, provenance, test_result};
pub use blob::{blob_path, new_blob_path};
pub use blobs::{BlobRemoval, blobs_to_delete, confirm_blobs_deleted};
pub use record::{NewArtifact, UsedArtifact, record_artifact, record_attestation, register_signing_key, use_artifact};
