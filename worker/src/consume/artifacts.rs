//! What a step keeps and fetches: bytes by their digest, each kept thing with a signed statement of where it came from.

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

/// From this size on it is worth asking whether the bytes are there already.
const ASK_BYTES: usize = 1 << 20;
/// How often bytes that retention is just removing are stored again.
const AGAIN: u32 = 20;

impl StepContext {
    /// Keeps bytes as an artifact; its path. Secrets must be masked already.
    pub(crate) async fn keep(&self, name: &str, media_type: &str, bytes: Vec<u8>) -> Result<String, Failure> {
        let digest = crypto::digest(&bytes);
        self.keep_with(name, media_type, Content::Bytes(bytes.into()), &digest, vec![]).await.map(|kept| kept.0)
    }

    /// Keeps a file as an artifact, read piece by piece; its path and id.
    pub(crate) async fn keep_file(&self, name: &str, media_type: &str, path: &Path) -> Result<(String, Uuid), Failure> {
        let unreadable = |error: std::io::Error| Failure::permanent(format!("could not read `{name}`: {error}"));
        let (size, digest, has_secret) = measure(path, &self.mask).await.map_err(unreadable)?;
        if has_secret {
            return Err(Failure::permanent(format!("`{name}` contains a secret of the step and was not saved")));
        }
        self.keep_with(name, media_type, Content::File { path: path.to_owned(), size }, &digest, vec![]).await
    }

    /// Keeps content with its provenance and further statements about it.
    pub(crate) async fn keep_with(
        &self,
        name: &str,
        media_type: &str,
        content: Content,
        digest: &str,
        statements: Vec<Statement>,
    ) -> Result<(String, Uuid), Failure> {
        let subject = Subject::new(name, digest);
        let key = &self.tools.signing_key;
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
        for _ in 0..AGAIN {
            self.store(&artifact, &content).await?;
            let record = || artifacts::record_artifact(&self.tools.db, &self.step, &artifact);
            match self.insist(record, db::Error::is_permanent).await {
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
        let storage = &self.tools.storage;
        let hopeless = storage::Error::is_permanent;
        let failed = |error| Failure::transient(format!("could not store the artifact {}: {error}", artifact.name));
        if content.len() >= ASK_BYTES && self.insist(|| storage.has(&artifact.blob), hopeless).await.map_err(failed)? {
            return Ok(());
        }
        self.insist(|| storage.upload(&artifact.blob, &artifact.media_type, content), hopeless).await.map_err(failed)
    }

    /// What the artifact is called within the tenant.
    fn artifact_path(&self, name: &str) -> String {
        let (run, step, attempt) = (self.step.run_id, self.step.id, self.step.attempt);
        // What an earlier attempt kept stays.
        if attempt > 1 { format!("runs/{run}/steps/{step}/{attempt}/{name}") } else { format!("runs/{run}/steps/{step}/{name}") }
    }

    async fn provenance(&self) -> Result<Provenance<'_>, Failure> {
        let mut materials = self.materials.lock().expect("nobody panics while holding it").clone();
        if let Some(source) = &self.step.workspace {
            let dir = self.workspace().await?;
            if let Some(commit) = Git::new(&self.tools.processes, &dir, self.stop.clone()).head().await? {
                materials.push(Material { uri: format!("git+{}", source.git), digest: format!("gitCommit:{commit}") });
            }
        }
        let mut parameters = self.facts.lock().expect("nobody panics while holding it").clone();
        let own = json!({"driver": "worker-container", "isolation": "process", "worker": self.tools.worker, "image": self.tools.image});
        parameters.extend(own.as_object().cloned().unwrap_or_default());
        Ok(Provenance {
            tool: &self.step.tool,
            inputs: &self.inputs,
            parameters: Value::Object(parameters),
            materials,
            builder_version: env!("CARGO_PKG_VERSION"),
            run: self.step.run_id,
            step: self.step.id,
            attempt: self.step.attempt,
            started_at: self.began,
        })
    }

    /// States who let the step run, when people had to.
    pub(super) async fn attest_approval(&self) -> Result<(), Failure> {
        let Some(gate) = self.step.gate.as_ref().filter(|gate| gate.gate_type.starts_with("manual:")) else { return Ok(()) };
        let (Some(by), Some(at)) = (&gate.decided_by, gate.decided_at) else { return Ok(()) };
        let what = json!({"run": self.step.run_id, "step": self.step.name, "tool": self.step.tool, "inputs": self.inputs});
        let subject =
            Subject::new(format!("nofx:run/{}/step/{}", self.step.run_id, self.step.id), &crypto::digest(what.to_string().as_bytes()));
        let attestation = artifacts::approval(subject, &gate.gate_type, &gate.status, by, at).sign(&self.tools.signing_key);
        let record = || artifacts::record_attestation(&self.tools.db, &self.step, &attestation);
        let recorded = self.insist(record, db::Error::is_permanent).await;
        recorded.map(drop).map_err(|error| Failure::transient(format!("could not record the approval: {error}")))
    }

    /// Brings an artifact of the tenant into a file, checked against its digest.
    pub(crate) async fn fetch(&self, artifact: Uuid, to: &Path) -> Result<(), Failure> {
        let ask = || artifacts::use_artifact(&self.tools.db, &self.step, artifact);
        let used = self.insist(ask, db::Error::is_permanent).await;
        let used = used.map_err(|error| Failure::permanent(format!("could not use the artifact {artifact}: {error}")))?;
        let used = used.ok_or_else(|| Failure::transient("the lease expired"))?;
        let half = half_of(to);
        let storage = &self.tools.storage;
        let failed = |error: &dyn std::fmt::Display| Failure::transient(format!("could not fetch the artifact {}: {error}", used.name));
        let mut response =
            self.insist(|| storage.download(&used.blob), storage::Error::is_permanent).await.map_err(|error| failed(&error))?;
        let mut file = tokio::fs::File::create(&half).await.map_err(|error| failed(&error))?;
        let mut sum = Sha256::new();
        while let Some(piece) = response.chunk().await.map_err(|error| failed(&error))? {
            sum.update(&piece);
            file.write_all(&piece).await.map_err(|error| failed(&error))?;
        }
        file.flush().await.map_err(|error| failed(&error))?;
        if crypto::format_digest(&sum.finalize()) != used.hash {
            drop(tokio::fs::remove_file(&half).await);
            return Err(Failure::transient(format!("checksum mismatch: the content of the artifact {} has changed", used.name)));
        }
        tokio::fs::rename(&half, to).await.map_err(|error| failed(&error))?;
        let material = Material { uri: format!("nofx:artifact/{}", used.id), digest: used.hash };
        self.materials.lock().expect("nobody panics while holding it").push(material);
        Ok(())
    }
}

fn half_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".half-{}", Uuid::now_v7().simple()));
    path.with_file_name(name)
}

/// A file's size and digest, and whether there is a secret in it.
async fn measure(path: &Path, mask: &Mask) -> std::io::Result<(usize, String, bool)> {
    let mut file = tokio::fs::File::open(path).await?;
    let (mut size, mut sum, mut has_secret) = (0, Sha256::new(), false);
    // The end of the piece before stays in front: a secret may lie across.
    let overlap = mask.longest().saturating_sub(1);
    let (mut buffer, mut kept) = (vec![0; overlap + (1 << 20)], 0);
    loop {
        let read = file.read(&mut buffer[kept..]).await?;
        if read == 0 {
            return Ok((size, crypto::format_digest(&sum.finalize()), has_secret));
        }
        let end = kept + read;
        sum.update(&buffer[kept..end]);
        has_secret |= overlap > 0 && mask.is_in(&buffer[..end]);
        size += read;
        kept = end.min(overlap);
        buffer.copy_within(end - kept..end, 0);
    }
}

/// The media type that a file's name tells.
pub(crate) fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
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
