//! The folders of runs: created on first use, shared by the steps of a run on this worker, removed when they are old. A checkout is made
//! under another name and renamed, so that one that exists is complete.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nofx_shared::engine::Failure;
use nofx_shared::plan::Workspace;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::git::Git;
use crate::drivers::Processes;

pub(crate) struct Workspaces {
    root: PathBuf,
    processes: Processes,
    /// By run: one checkout at a time, and only once.
    created: Mutex<HashMap<Uuid, Arc<OnceCell<()>>>>,
}

impl Workspaces {
    pub(crate) fn new(root: PathBuf, processes: Processes) -> Self {
        Self { root, processes, created: Mutex::default() }
    }

    /// The run's folder: a checkout, or an empty folder when the plan names no repository.
    pub(crate) async fn open(&self, run: Uuid, source: Option<&Workspace>) -> Result<PathBuf, Failure> {
        let dir = self.root.join(run.simple().to_string());
        let cell = Arc::clone(self.created.lock().expect("the lock is never poisoned").entry(run).or_default());
        cell.get_or_try_init(|| self.create(&dir, source)).await?;
        Ok(dir)
    }

    async fn create(&self, dir: &PathBuf, source: Option<&Workspace>) -> Result<(), Failure> {
        let failed = |error: std::io::Error| Failure::transient(format!("could not create the workspace {}: {error}", dir.display()));
        let Some(source) = source else { return std::fs::create_dir_all(dir).map_err(failed) };
        // It is complete, because of the rename below; another worker on this machine may have created it.
        if dir.exists() {
            return Ok(());
        }
        let partial = dir.with_extension(format!("partial-{}", std::process::id()));
        if partial.exists() {
            std::fs::remove_dir_all(&partial).map_err(failed)?;
        }
        if source.r#ref.as_ref().is_some_and(|reference| reference.starts_with('-')) || source.git.starts_with('-') {
            return Err(Failure::permanent("workspace: neither git nor ref can begin with `-`"));
        }
        let target = partial.to_string_lossy().into_owned();
        let root = Git::new(&self.processes, &self.root, CancellationToken::new());
        root.run(&["clone", "--quiet", "--no-hardlinks", "--", &source.git, &target]).await?;
        if let Some(reference) = &source.r#ref {
            let git = Git::new(&self.processes, &partial, CancellationToken::new());
            // A branch is taken from the origin; tags and commits have the same name everywhere.
            let of_origin = format!("origin/{reference}");
            let name = if git.commit(&of_origin).await?.is_some() { &of_origin } else { reference };
            git.run(&["checkout", "--quiet", "--detach", name]).await?;
        }
        match std::fs::rename(&partial, dir) {
            // Another worker on this machine was faster: its checkout is used.
            Err(_) if dir.exists() => std::fs::remove_dir_all(&partial).map_err(failed),
            renamed => renamed.map_err(failed),
        }
    }

    /// Removes folders that were not changed for this time.
    pub(crate) async fn prune(&self, age: Duration) {
        let Ok(entries) = std::fs::read_dir(&self.root) else { return };
        for entry in entries.flatten() {
            let old = entry.metadata().and_then(|meta| meta.modified()).is_ok_and(|at| at.elapsed().is_ok_and(|since| since > age));
            if old && let Ok(run) = entry.file_name().to_string_lossy().parse::<Uuid>() {
                self.created.lock().expect("the lock is never poisoned").remove(&run);
                if let Err(error) = std::fs::remove_dir_all(entry.path()) {
                    tracing::warn!(%error, %run, "could not remove an old workspace");
                }
            }
        }
    }
}
