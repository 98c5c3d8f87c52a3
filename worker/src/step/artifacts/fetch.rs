//! Fetches artifacts of the tenant for a step, each checked against its digest and noted as a material of what the step makes.

use nofx_shared::artifacts::{self, Material};
use nofx_shared::crypto;
use nofx_shared::db;
use nofx_shared::engine::Failure;
use nofx_shared::storage;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use crate::step::StepContext;
use crate::workspace::Folder;

impl StepContext {
    /// Downloads an artifact of the tenant into a file below a folder and checks its digest.
    pub(crate) async fn fetch(&self, artifact: Uuid, folder: &Folder, name: &str) -> Result<(), Failure> {
        let record = || artifacts::use_artifact(&self.services.db, &self.step, artifact);
        let used = self.retry_until_stopped(record, db::Error::is_permanent).await;
        let used = used.map_err(|error| Failure::permanent(format!("could not use the artifact {artifact}: {error}")))?;
        let used = used.ok_or_else(Failure::lease_expired)?;
        let storage = &self.services.storage;
        let failed = |error: &dyn std::fmt::Display| Failure::transient(format!("could not fetch the artifact {}: {error}", used.name));
        let mut response = self
            .retry_until_stopped(|| storage.download(&used.blob), storage::Error::is_permanent)
            .await
            .map_err(|error| failed(&error))?;
        let mut file = tokio::fs::File::from_std(folder.create(name).await?);
        let mut sum = Sha256::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
            sum.update(&chunk);
            file.write_all(&chunk).await.map_err(|error| failed(&error))?;
        }
        file.flush().await.map_err(|error| failed(&error))?;
        if crypto::format_digest(&sum.finalize()) != used.hash {
            folder.remove(name).await?;
            return Err(Failure::transient(format!("checksum mismatch: the content of the artifact {} has changed", used.name)));
        }
        let material = Material { uri: format!("nofx:artifact/{}", used.id), digest: Some(used.hash) };
        self.materials.lock().expect("the lock is never poisoned").push(material);
        Ok(())
    }
}
