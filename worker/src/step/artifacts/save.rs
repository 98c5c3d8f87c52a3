//! Saves bytes and files of a step: first the content, by its digest, then the row that names it. Bytes must be masked by the caller; a
//! file that contains a secret is refused.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use nofx_shared::artifacts::{self, Attestation, NewArtifact, Statement, Subject};
use nofx_shared::crypto;
use nofx_shared::db;
use nofx_shared::engine::Failure;
use nofx_shared::problem::Kind;
use nofx_shared::secrets::Mask;
use nofx_shared::storage::{self, Content};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::uri::artifact_uri;
use crate::step::StepContext;
use crate::workspace::Folder;

/// Largest file that is saved: one upload of Storage.
const FILE_BYTES: u64 = 5 << 30;
/// From this size on, a call that checks for the same content may save an upload.
const EXISTS_CHECK_BYTES: usize = 1 << 20;
/// How often content is stored. Where retention is deleting it nothing else is stored, so the second time it gets a path of its own.
const MAX_STORES: u32 = 2;

impl StepContext {
    /// Saves bytes as an artifact; returns its URI. Secrets must be masked already.
    pub(crate) async fn save_artifact(&self, name: &str, media_type: &str, bytes: Vec<u8>) -> Result<String, Failure> {
        let digest = crypto::digest(&bytes);
        self.save_with(name, media_type, Content::Bytes(bytes.into()), &digest, vec![]).await.map(|saved| saved.0)
    }

    /// Saves a file that the plan names below a folder as an artifact, read in chunks; returns its URI and id.
    pub(crate) async fn save_file(&self, name: &str, media_type: &str, folder: &Folder) -> Result<(String, Uuid), Failure> {
        let file = folder.open(name).await?;
        let unreadable = |error: std::io::Error| Failure::permanent(format!("could not read `{name}`: {error}"));
        let (mask, stop) = (self.mask.clone(), self.stop.clone());
        let measured = tokio::task::spawn_blocking(move || measure(file, &mask, &stop)).await;
        let measured = measured.map_err(|error| unreadable(std::io::Error::other(error)))?.map_err(unreadable)?;
        let Measured { file, size, digest, has_secret } = measured;
        if has_secret {
            return Err(Failure::permanent(format!("`{name}` contains a secret of the step and was not saved")));
        }
        self.save_with(name, media_type, Content::File { file, size }, &digest, vec![]).await
    }

    /// Saves content with its provenance and more statements about it; returns the artifact's URI and id.
    pub(crate) async fn save_with(
        &self,
        name: &str,
        media_type: &str,
        content: Content,
        digest: &str,
        statements: Vec<Statement>,
    ) -> Result<(String, Uuid), Failure> {
        let subject = Subject::new(name, digest);
        let key = &self.services.signing_key;
        let mut attestations: Vec<Attestation> = vec![artifacts::provenance(subject, &self.provenance().await?).sign(key)];
        attestations.extend(statements.iter().map(|statement| statement.sign(key)));
        let mut artifact = NewArtifact {
            name: name.to_owned(),
            r#type: media_type.to_owned(),
            uri: artifact_uri(&self.step, name),
            blob: artifacts::blob_path(self.step.tenant_id, digest),
            size_bytes: content.len(),
            hash: digest.to_owned(),
            attestations,
        };
        for _ in 0..MAX_STORES {
            self.store(&artifact, &content).await?;
            let record = || artifacts::record_artifact(&self.services.db, &self.step, &artifact);
            match self.retry_until_stopped(record, db::Error::is_permanent).await {
                Ok(id) => return id.map(|id| (artifact.uri.clone(), id)).ok_or_else(Failure::lease_expired),
                Err(error) if error.problem().kind == Kind::BlobDeleting => {
                    artifact.blob = artifacts::new_blob_path(self.step.tenant_id, digest)
                }
                Err(error) => return Err(Failure::transient(format!("could not record the artifact {name}: {error}"))),
            }
        }
        Err(Failure::transient(format!("the content of the artifact {name} is being deleted")))
    }

    async fn store(&self, artifact: &NewArtifact, content: &Content) -> Result<(), Failure> {
        let storage = &self.services.storage;
        let is_permanent = storage::Error::is_permanent;
        let failed = |error| Failure::transient(format!("could not store the artifact {}: {error}", artifact.name));
        if content.len() >= EXISTS_CHECK_BYTES
            && self.retry_until_stopped(|| storage.has(&artifact.blob), is_permanent).await.map_err(failed)?
        {
            return Ok(());
        }
        self.retry_until_stopped(|| storage.upload(&artifact.blob, &artifact.r#type, content), is_permanent).await.map_err(failed)
    }
}

struct Measured {
    file: Arc<File>,
    size: usize,
    digest: String,
    has_secret: bool,
}

/// A file's size and digest, and whether it contains a secret.
fn measure(mut file: File, mask: &Mask, stop: &CancellationToken) -> std::io::Result<Measured> {
    let length = file.metadata()?.len();
    if length > FILE_BYTES {
        return Err(std::io::Error::other(format!("the file has {length} bytes, the limit is {FILE_BYTES}")));
    }
    let (mut size, mut sum, mut has_secret) = (0, Sha256::new(), false);
    // The end of the chunk before stays in the buffer: a secret may span two chunks.
    let overlap = mask.longest().saturating_sub(1);
    let (mut buffer, mut overlap_len) = (vec![0; overlap + (1 << 20)], 0);
    loop {
        let read = file.read(&mut buffer[overlap_len..])?;
        if read == 0 {
            return Ok(Measured { file: Arc::new(file), size, digest: crypto::format_digest(&sum.finalize()), has_secret });
        }
        let end = overlap_len + read;
        sum.update(&buffer[overlap_len..end]);
        has_secret |= overlap > 0 && mask.is_in(&buffer[..end]);
        size += read;
        // It may grow for ever while it is read.
        if stop.is_cancelled() || size as u64 > FILE_BYTES {
            return Err(std::io::Error::other("the step was stopped, or the file grows"));
        }
        overlap_len = end.min(overlap);
        buffer.copy_within(end - overlap_len..end, 0);
    }
}
