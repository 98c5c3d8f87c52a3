//! Fetches artifacts of the tenant for a step, each checked against its digest and noted as a material of what the step makes.

use std::path::{Path, PathBuf};

use nofx_shared::artifacts::{self, Material};
use nofx_shared::crypto;
use nofx_shared::db;
use nofx_shared::engine::Failure;
use nofx_shared::storage;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use crate::step::StepContext;

impl StepContext {
    /// Downloads an artifact of the tenant into a file and checks its digest.
    pub(crate) async fn fetch(&self, artifact: Uuid, to: &Path) -> Result<(), Failure> {
        let record = || artifacts::use_artifact(&self.services.db, &self.step, artifact);
        let used = self.retry_until_stopped(record, db::Error::is_permanent).await;
        let used = used.map_err(|error| Failure::permanent(format!("could not use the artifact {artifact}: {error}")))?;
        let used = used.ok_or_else(Failure::lease_expired)?;
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
