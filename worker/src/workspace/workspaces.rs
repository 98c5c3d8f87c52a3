//! The workspaces of runs on this worker. What steps begin with and leave is in `begin` and `leave`; here is which folders go, and when: those
//! of runs that have ended, and others when they use too much disk. A later step then has a new one, with the same in it.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use nofx_sandbox::Sandbox;
use nofx_shared::engine::Failure;
use uuid::Uuid;

use super::disk::{Disk, measure};
use super::folder::Folder;
use super::pool::Pool;
use crate::drivers::Processes;

pub(crate) struct Workspaces {
    sandbox: Sandbox,
    pub(super) processes: Processes,
    pub(super) pool: Arc<Pool>,
    pub(super) disk: Disk,
}

impl Workspaces {
    /// `most`: how much disk all of them may use, in bytes.
    pub(crate) fn new(sandbox: Sandbox, processes: Processes, most: Option<u64>) -> Self {
        Self { pool: Pool::new(sandbox.clone()), sandbox, processes, disk: Disk::new(most) }
    }

    /// Removes what workers of this machine left that are gone.
    pub(crate) async fn clean(&self) {
        let sandbox = self.sandbox.clone();
        if let Err(failure) = self.off_loop(move || sandbox.clean()).await {
            tracing::warn!(error = failure.message, "could not clean up workspaces of workers that are gone");
        }
    }

    /// The runs that have a folder.
    pub(crate) fn runs(&self) -> Vec<Uuid> {
        self.pool.runs()
    }

    /// Removes the folders of runs that have ended, unless a step still uses one, and then of others, the oldest first, until the rest fits.
    pub(crate) async fn bound(&self, unfinished: &HashSet<Uuid>) {
        let (kept, ended): (Vec<_>, Vec<_>) = self.pool.all().into_iter().partition(|(run, _, _)| unfinished.contains(run));
        for (run, path, _) in ended {
            self.remove(run, path).await;
        }
        let in_use: HashSet<PathBuf> = kept.iter().filter(|one| one.2).map(|one| one.1.clone()).collect();
        let mut found = HashMap::new();
        for (run, path, is_used) in &kept {
            let bytes = match self.disk.known(path) {
                Some(known) if known.is_last && !is_used => Ok(known.bytes),
                _ => self.bytes(path).await,
            };
            let bytes = bytes.inspect_err(|failure| tracing::warn!(error = failure.message, %run, "could not measure a workspace"));
            found.insert(path.clone(), bytes.ok());
        }
        let run_of: HashMap<PathBuf, Uuid> = kept.into_iter().map(|(run, path, _)| (path, run)).collect();
        for path in self.disk.update(found, &in_use) {
            let Some(run) = run_of.get(&path) else { continue };
            tracing::info!(%run, "removing a workspace that no step uses now: all use more than NOFX_WORKSPACES_MB");
            self.remove(*run, path).await;
        }
    }

    async fn remove(&self, run: Uuid, path: PathBuf) {
        let (pool, removed) = (Arc::clone(&self.pool), path.clone());
        match self.off_loop(move || pool.remove(run, &removed)).await {
            Ok(true) => self.disk.remove(&path),
            // A step has it by now.
            Ok(false) => {}
            Err(failure) => tracing::warn!(error = failure.message, %run, "could not remove a workspace"),
        }
    }

    async fn bytes(&self, path: &std::path::Path) -> Result<u64, Failure> {
        measure(&self.processes, &Folder::new(&self.processes, path.to_owned())?).await
    }

    /// Bytes of all workspaces when they were measured last, and how many there were.
    pub(crate) fn usage(&self) -> (u64, usize) {
        self.disk.usage()
    }

    pub(super) async fn off_loop<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, String> + Send + 'static,
    ) -> Result<T, Failure> {
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| error.to_string()).flatten().map_err(|why| Failure::transient(format!("workspace: {why}")))
    }
}
