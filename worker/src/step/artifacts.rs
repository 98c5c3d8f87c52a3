//! Artifacts that a step saves and fetches: bytes are stored by their digest, and each artifact gets signed provenance.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nofx_shared::artifacts::{self, Attestation, Material, NewArtifact, Provenance, Statement, Subject};
use nofx_shared::crypto;
use nofx_shared::db;
use nofx_shared::engine::Failure;
use nofx_shared::secrets::Mask;
use nofx_shared::storage::{self, Content};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use uuid::Uuid;

use super::StepContext;
use crate::workspace::Git;

/// From this size on, a call that checks for the same content may save an upload.
const EXISTS_CHECK_BYTES: usize = 1 << 20;
/// How often content is stored again that retention is deleting at the same time.
const MAX_RETRIES: u32 = 20;

impl StepContext {
    /// Saves bytes as an artifact; returns its path. Secrets must be masked already.
    pub(crate) async fn save_artifact(&self, name: &str, media_type: &str, bytes: Vec<u8>) -> Result<String, Failure> {
        let digest = crypto::digest(&bytes);
        self.save_with(name, media_type, Content::Bytes(bytes.into()), &digest, vec![]).await.map(|saved| saved.0)
    }

    /// Saves a file as an artifact, read in chunks; returns its path and id.
    pub(crate) async fn save_file(&self, name: &str, media_type: &str, path: &Path) -> Result<(String, Uuid), Failure> {
        let unreadable = |error: std::io::Error| Failure::permanent(format!("could not read `{name}`: {error}"));
        let (size, digest, has_secret) = measure(path, &self.mask).await.map_err(unreadable)?;
        if has_secret {
            return Err(Failure::permanent(format!("`{name}` contains a secret of the step and was not saved")));
        }
        self.save_with(name, media_type, Content::File { path: path.to_owned(), size }, &digest, vec![]).await
    }

    /// Saves content with its provenance and more statements about it.
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
        let artifact = NewArtifact {
            name: name.to_owned(),
            path: self.artifact_path(name),
            blob: artifacts::blob_path(self.step.tenant_id, digest),
            media_type: media_type.to_owned(),
            size_bytes: content.len(),
            hash: digest.to_owned(),
            attestations,
        };
        for _ in 0..MAX_RETRIES {
            self.store(&artifact, &content).await?;
            let record = || artifacts::record_artifact(&self.services.db, &self.step, &artifact);
            match self.retry_until_stopped(record, db::Error::is_permanent).await {
                Ok(id) => return id.map(|id| (artifact.path.clone(), id)).ok_or_else(|| Failure::transient("the lease expired")),
                Err(error) if error.problem().kind == nofx_shared::problem::Kind::BlobDeleting => {
                    tokio::time::sleep(Duration::from_millis(500)).await
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
        self.retry_until_stopped(|| storage.upload(&artifact.blob, &artifact.media_type, content), is_permanent).await.map_err(failed)
    }

    /// The artifact's path within the tenant.
    fn artifact_path(&self, name: &str) -> String {
        let (run, step, attempt) = (self.step.run_id, self.step.id, self.step.attempt);
        // Artifacts of an earlier attempt are not replaced.
        if attempt > 1 { format!("runs/{run}/steps/{step}/{attempt}/{name}") } else { format!("runs/{run}/steps/{step}/{name}") }
    }

    async fn provenance(&self) -> Result<Provenance<'_>, Failure> {
        let mut materials = self.materials.lock().expect("the lock is never poisoned").clone();
        if let Some(source) = &self.step.workspace {
            let dir = self.workspace().await?;
            if let Some(commit) = Git::new(&self.services.processes, &dir, self.stop.clone()).head().await? {
                materials.push(Material { uri: format!("git+{}", source.git), digest: format!("gitCommit:{commit}") });
            }
        }
        let mut parameters = self.parameters.lock().expect("the lock is never poisoned").clone();
        let worker =
            json!({"driver": "worker-container", "isolation": "process", "worker": self.services.worker, "image": self.services.image});
        parameters.extend(worker.as_object().cloned().unwrap_or_default());
        Ok(Provenance {
            tool: &self.step.tool,
            inputs: &self.inputs,
            parameters: Value::Object(parameters),
            materials,
            builder_version: env!("CARGO_PKG_VERSION"),
            run: self.step.run_id,
            step: self.step.id,
            attempt: self.step.attempt,
            started_at: self.started_at,
        })
    }

    /// Signs an attestation of the approval that let the step run, if it has a manual gate.
    pub(crate) async fn attest_approval(&self) -> Result<(), Failure> {
        let Some(gate) = self.step.gate.as_ref().filter(|gate| gate.gate_type.starts_with("manual:")) else { return Ok(()) };
        let (Some(by), Some(at)) = (&gate.decided_by, gate.decided_at) else { return Ok(()) };
        let approved = json!({"run": self.step.run_id, "step": self.step.name, "tool": self.step.tool, "inputs": self.inputs});
        let digest = crypto::digest(approved.to_string().as_bytes());
        let subject = Subject::new(format!("nofx:run/{}/step/{}", self.step.run_id, self.step.id), &digest);
        let attestation = artifacts::approval(subject, &gate.gate_type, &gate.status, by, at).sign(&self.services.signing_key);
        let record = || artifacts::record_attestation(&self.services.db, &self.step, &attestation);
        let recorded = self.retry_until_stopped(record, db::Error::is_permanent).await;
        recorded.map(drop).map_err(|error| Failure::transient(format!("could not record the approval: {error}")))
    }

    /// Downloads an artifact of the tenant into a file and checks its digest.
    pub(crate) async fn fetch(&self, artifact: Uuid, to: &Path) -> Result<(), Failure> {
        let record = || artifacts::use_artifact(&self.services.db, &self.step, artifact);
        let used = self.retry_until_stopped(record, db::Error::is_permanent).await;
        let used = used.map_err(|error| Failure::permanent(format!("could not use the artifact {artifact}: {error}")))?;
        let used = used.ok_or_else(|| Failure::transient("the lease expired"))?;
        let partial = partial_path(to);
        let storage = &self.services.storage;
        let failed = |error: &dyn std::fmt::Display| Failure::transient(format!("could not fetch the artifact {}: {error}", used.name));
        let mut response = self
            .retry_until_stopped(|| storage.download(&used.blob), storage::Error::is_permanent)
            .await
            .map_err(|error| failed(&error))?;
        let mut file = tokio::fs::File::create(&partial).await.map_err(|error| failed(&error))?;
        let mut sum = Sha256::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
            sum.update(&chunk);
            file.write_all(&chunk).await.map_err(|error| failed(&error))?;
        }
        file.flush().await.map_err(|error| failed(&error))?;
        if crypto::format_digest(&sum.finalize()) != used.hash {
            drop(tokio::fs::remove_file(&partial).await);
            return Err(Failure::transient(format!("checksum mismatch: the content of the artifact {} has changed", used.name)));
        }
        tokio::fs::rename(&partial, to).await.map_err(|error| failed(&error))?;
        let material = Material { uri: format!("nofx:artifact/{}", used.id), digest: used.hash };
        self.materials.lock().expect("the lock is never poisoned").push(material);
        Ok(())
    }
}

fn partial_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".partial-{}", Uuid::now_v7().simple()));
    path.with_file_name(name)
}

/// A file's size and digest, and whether it contains a secret.
async fn measure(path: &Path, mask: &Mask) -> std::io::Result<(usize, String, bool)> {
    let mut file = tokio::fs::File::open(path).await?;
    let (mut size, mut sum, mut has_secret) = (0, Sha256::new(), false);
    // The end of the chunk before stays in the buffer: a secret may span two chunks.
    let overlap = mask.longest().saturating_sub(1);
    let (mut buffer, mut overlap_len) = (vec![0; overlap + (1 << 20)], 0);
    loop {
        let read = file.read(&mut buffer[overlap_len..]).await?;
        if read == 0 {
            return Ok((size, crypto::format_digest(&sum.finalize()), has_secret));
        }
        let end = overlap_len + read;
        sum.update(&buffer[overlap_len..end]);
        has_secret |= overlap > 0 && mask.is_in(&buffer[..end]);
        size += read;
        overlap_len = end.min(overlap);
        buffer.copy_within(end - overlap_len..end, 0);
    }
}

/// The media type by a file name's extension.
pub(crate) fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).as_deref() {
        Some("json") => "application/json",
        Some("txt" | "log" | "diff" | "patch") => "text/plain; charset=utf-8",
        Some("md") => "text/markdown; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("xml") => "application/xml",
        Some("yaml" | "yml") => "application/yaml",
        Some("csv") => "text/csv; charset=utf-8",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("svg") => "image/svg+xml",
        Some("pdf") => "application/pdf",
        Some("gz" | "tgz") => "application/gzip",
        Some("zip") => "application/zip",
        _ => "application/octet-stream",
    }
}
