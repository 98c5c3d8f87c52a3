//! What a handler may reach of the world.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nofx_shared::artifacts::digest;
use nofx_shared::db::{self, Db};
use nofx_shared::engine::{self, ClaimedStep, Failure};
use nofx_shared::secrets::{Mask, SecretStore};
use nofx_shared::storage::{self, Storage};
use nofx_shared::telemetry::TraceParent;
use tokio_util::sync::CancellationToken;

use crate::drivers::Processes;
use crate::workspace::Workspaces;

/// What all steps share.
pub(crate) struct Tools {
    pub db: Db,
    pub storage: Storage,
    pub secrets: SecretStore,
    pub workspaces: Workspaces,
    pub processes: Processes,
    pub allow_private_addresses: bool,
}

/// One step's view: its row, its environment, and the tools.
pub(crate) struct StepContext {
    pub step: ClaimedStep,
    /// What the step's processes see: what it names, and nothing of the worker's own.
    pub env: BTreeMap<String, String>,
    /// The step's `idempotency_key`, its expressions resolved: for effects outside.
    pub idempotency_key: Option<String>,
    pub mask: Mask,
    /// The step's place in its run's trace, for what it calls and starts.
    pub trace: Option<TraceParent>,
    pub stop: CancellationToken,
    pub tools: Arc<Tools>,
}

impl StepContext {
    /// The run's files, checked out unless they are here already.
    pub(crate) async fn workspace(&self) -> Result<PathBuf, Failure> {
        self.tools.workspaces.open(self.step.run_id, self.step.workspace.as_ref()).await
    }

    /// Where the step's artifacts are in Storage.
    pub(crate) fn artifact_path(&self, name: &str) -> String {
        format!("runs/{}/steps/{}/{name}", self.step.run_id, self.step.id)
    }

    /// Keeps bytes as an artifact; its path in Storage. Secrets must be masked already.
    pub(crate) async fn keep(&self, name: &str, media_type: &str, bytes: Vec<u8>) -> Result<String, Failure> {
        let path = self.artifact_path(name);
        let hash = digest(&bytes);
        let size = bytes.len();
        let storage = &self.tools.storage;
        self.insist(|| storage.upload(&path, media_type, bytes.clone()), storage::Error::is_about_the_call)
            .await
            .map_err(|error| Failure::transient(format!("cannot store the artifact {name}: {error}")))?;
        let record = || engine::record_artifact(&self.tools.db, &self.step, name, &path, media_type, size, &hash);
        let recorded = self
            .insist(record, db::Error::is_about_the_call)
            .await
            .map_err(|error| Failure::transient(format!("cannot record the artifact {name}: {error}")))?;
        recorded.map(|_| path).ok_or_else(|| Failure::transient("the lease was lost"))
    }

    /// Tries again while what it asks is away: the work is done, only its keeping waits. Gives up when the step is stopped.
    pub(crate) async fn insist<T, E, F: Future<Output = Result<T, E>>>(
        &self,
        act: impl Fn() -> F,
        is_hopeless: impl Fn(&E) -> bool,
    ) -> Result<T, E> {
        let mut wait = Duration::from_millis(100);
        loop {
            match act().await {
                Err(error) if !is_hopeless(&error) && !self.stop.is_cancelled() => {
                    tokio::select! { () = tokio::time::sleep(wait) => {}, () = self.stop.cancelled() => {} }
                    wait = (wait * 2).min(Duration::from_secs(5));
                }
                result => return result,
            }
        }
    }
}
