//! The workspaces of runs on this worker. What steps begin with and leave is in `begin` and `leave`; here is which folders go, and when: those
//! of runs that ended a while ago, and others when they use too much disk. A later step then has a new one, with the same in it.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nofx_sandbox::Sandbox;
use nofx_shared::engine::Failure;
use uuid::Uuid;

use super::caller::Caller;
use super::disk::{Disk, measure};
use super::folder::Folder;
use super::pool::{Found, Pool};
use super::source::{Route, Sources};
use crate::drivers::Processes;

/// How long folders of runs that have ended are kept: who retries one soon has its caches.
const KEPT: Duration = Duration::from_secs(3600);

pub(crate) struct Workspaces {
    sandbox: Sandbox,
    pub(super) processes: Processes,
    pub(super) pool: Arc<Pool>,
    pub(super) disk: Disk,
    sources: Sources,
}

impl Workspaces {
    /// `most`: how much disk all of them may use, in bytes.
    pub(crate) fn new(sandbox: Sandbox, processes: Processes, most: Option<u64>, sources: Sources) -> Self {
        Self { pool: Pool::new(sandbox.clone()), sandbox, processes, disk: Disk::new(most), sources }
    }

    /// The way to a repository, if a step may use it.
    pub(crate) async fn route(&self, address: &str, caller: &Caller) -> Result<Route, Failure> {
        self.sources.route(address, caller).await
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

    /// Removes the folders of runs that ended a while ago, and of all that no step uses so many that the rest fits.
    pub(crate) async fn bound(&self, unfinished: &HashSet<Uuid>) {
        let is_old = |one: &Found| !unfinished.contains(&one.run) && one.idle.is_some_and(|idle| idle > KEPT);
        let (old, kept): (Vec<_>, Vec<_>) = self.pool.all().into_iter().partition(is_old);
        for Found { run, path, .. } in old {
            self.remove(run, path).await;
        }
        let mut found = HashMap::new();
        for Found { run, path, idle } in &kept {
            let bytes = match self.disk.known(path) {
                Some(known) if known.is_last && idle.is_some() => Ok(known.bytes),
                _ => self.bytes(path).await,
            };
            let bytes = bytes.inspect_err(|failure| tracing::warn!(error = failure.message, %run, "could not measure a workspace"));
            found.insert(path.clone(), bytes.ok());
        }
        let paths = |of: &dyn Fn(&Found) -> bool| kept.iter().filter(|one| of(one)).map(|one| one.path.clone()).collect();
        let (in_use, going_on) = (paths(&|one| one.idle.is_none()), paths(&|one| unfinished.contains(&one.run)));
        for path in self.disk.update(found, &in_use, &going_on) {
            let Some(Found { run, .. }) = kept.iter().find(|one| one.path == path) else { continue };
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
