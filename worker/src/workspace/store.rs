//! Manifests and packs in Storage, by their digests. What is read is compared with its digest.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::sync::Arc;
use std::time::Duration;

use nofx_shared::engine::Failure;
use nofx_shared::storage::{self, Content};
use sha2::{Digest, Sha256};

use super::access::Access;
use super::make::temporary;
use super::manifest::Manifest;

/// Largest manifest.
const MANIFEST_BYTES: u64 = 128 << 20;
/// How often content is stored again that retention is deleting at the same time.
const MAX_RETRIES: u32 = 20;

/// Content that is ready to be stored.
pub(super) struct Stored {
    pub digest: String,
    pub content: Content,
}

impl Access<'_> {
    pub(super) async fn load_manifest(&self, snapshot: &str) -> Result<Manifest, Failure> {
        let file = self.load(snapshot, MANIFEST_BYTES, temporary()?).await?;
        let read = tokio::task::spawn_blocking(move || serde_json::from_reader(std::io::BufReader::new(file))).await;
        let read = read.map_err(|error| error.to_string()).and_then(|read| read.map_err(|error: serde_json::Error| error.to_string()));
        read.map_err(|why| Failure::permanent(format!("workspace: the snapshot {snapshot} could not be read: {why}")))
    }

    /// Writes content to a file, and goes back to its start.
    pub(super) async fn load(&self, digest: &str, most: u64, mut file: File) -> Result<File, Failure> {
        let blob = self.blob(digest);
        let failed = |why: &dyn std::fmt::Display| Failure::transient(format!("workspace: {digest} could not be fetched: {why}"));
        let response = self.retry(|| self.storage.download(&blob), storage::Error::is_permanent).await;
        let mut response = response.map_err(|error| failed(&error))?;
        let (mut sum, mut size) = (Sha256::new(), 0);
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
            size += chunk.len() as u64;
            if size > most {
                return Err(failed(&format!("it has more than {most} bytes")));
            }
            sum.update(&chunk);
            // In the page cache, as a rule.
            let written = tokio::task::spawn_blocking(move || file.write_all(&chunk).map(|()| file)).await;
            file = written.map_err(std::io::Error::other).flatten().map_err(|error| failed(&error))?;
        }
        if hex::encode(sum.finalize()) != digest {
            return Err(failed(&"its content has changed"));
        }
        file.seek(SeekFrom::Start(0)).map_err(|error| failed(&error))?;
        Ok(file)
    }

    /// Stores a manifest and what it needs that is new, and records all of it.
    pub(super) async fn save(&self, manifest: &Manifest, mut new: Vec<Stored>) -> Result<String, Failure> {
        let bytes = manifest.bytes();
        if bytes.len() as u64 > MANIFEST_BYTES {
            return Err(Failure::permanent(format!("workspace: the list of what steps changed has more than {MANIFEST_BYTES} bytes")));
        }
        let snapshot = hex::encode(Sha256::digest(&bytes));
        new.push(Stored { digest: snapshot.clone(), content: Content::Bytes(bytes.into()) });
        let mut digests: Vec<String> = manifest.packs().into_iter().map(str::to_owned).collect();
        digests.push(snapshot.clone());
        for _ in 0..MAX_RETRIES {
            for Stored { digest, content } in &new {
                let blob = self.blob(digest);
                let stored =
                    self.retry(|| self.storage.upload(&blob, "application/octet-stream", content), storage::Error::is_permanent).await;
                stored.map_err(|error| Failure::transient(format!("workspace: its snapshot could not be stored: {error}")))?;
            }
            if self.record(&digests).await? {
                return Ok(snapshot);
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        Err(Failure::transient("workspace: the content of its snapshot is being deleted"))
    }
}

/// A file as content.
pub(super) fn content_of(file: File, size: u64) -> Content {
    Content::File { file: Arc::new(file), size: usize::try_from(size).unwrap_or(usize::MAX) }
}
