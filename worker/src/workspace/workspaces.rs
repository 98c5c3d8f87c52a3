//! The folders of runs: created on first use, shared by the steps of a run on this machine, removed when they are old. A checkout is made
//! under another name and then adopted, so that a workspace that exists is complete. Each belongs to a user of its own.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nofx_sandbox::Sandbox;
use nofx_shared::engine::Failure;
use nofx_shared::plan::Workspace;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::caller::Caller;
use super::disk::{Disk, measure};
use super::folder::Folder;
use super::git::{Git, of_others};
use super::source::{Route, Sources, variables};
use crate::drivers::Processes;

/// A workspace that is not complete: it is removed when this is dropped, also when whoever waits for it is stopped.
struct Unadopted {
    sandbox: Sandbox,
    folder: PathBuf,
    is_adopted: bool,
}

impl Unadopted {
    fn create(sandbox: &Sandbox, run: Uuid) -> Result<Self, String> {
        Ok(Self { sandbox: sandbox.clone(), folder: sandbox.create_workspace(run)?, is_adopted: false })
    }

    fn adopt(mut self, run: Uuid) -> Result<(), String> {
        self.is_adopted = self.sandbox.adopt_workspace(run, &self.folder)?;
        Ok(())
    }
}

impl Drop for Unadopted {
    fn drop(&mut self) {
        if !self.is_adopted {
            self.sandbox.remove_later(&self.folder);
        }
    }
}

pub(crate) struct Workspaces {
    sandbox: Sandbox,
    processes: Processes,
    /// By run: one checkout at a time, and only once.
    created: Mutex<HashMap<Uuid, Arc<OnceCell<PathBuf>>>>,
    disk: Disk,
    sources: Sources,
}

impl Workspaces {
    /// `most`: how much disk all of them may use, in bytes.
    pub(crate) fn new(sandbox: Sandbox, processes: Processes, most: Option<u64>, sources: Sources) -> Self {
        Self { sandbox, processes, created: Mutex::default(), disk: Disk::new(most), sources }
    }

    /// The run's folder: a checkout, or an empty folder when the plan names no repository. Whoever comes first makes it.
    pub(crate) async fn open(&self, run: Uuid, source: Option<&Workspace>, caller: &Caller) -> Result<Folder, Failure> {
        let cell = Arc::clone(self.created.lock().expect("the lock is never poisoned").entry(run).or_default());
        let path = cell.get_or_try_init(|| self.create(run, source, caller)).await?;
        Folder::new(&self.processes, path.clone())
    }

    async fn create(&self, run: Uuid, source: Option<&Workspace>, caller: &Caller) -> Result<PathBuf, Failure> {
        // It is complete; another worker on this machine may have created it.
        if let Some(found) = self.supervised(move |sandbox| sandbox.find_workspace(run)).await? {
            return Ok(found);
        }
        self.disk.check_room()?;
        if source.is_some_and(|source| source.r#ref.as_ref().is_some_and(|name| name.starts_with('-'))) {
            return Err(Failure::permanent("workspace: ref cannot begin with `-`"));
        }
        let new = self.supervised(move |sandbox| Unadopted::create(sandbox, run)).await?;
        if let Some(source) = source {
            self.check_out(&new.folder, source, caller).await?;
        }
        // If another worker on this machine was faster, its checkout is used.
        self.supervised(move |_| new.adopt(run)).await?;
        let found = self.supervised(move |sandbox| sandbox.find_workspace(run)).await?;
        found.ok_or_else(|| Failure::transient("the workspace is gone"))
    }

    /// The way to a repository, if a step may use it.
    pub(crate) async fn route(&self, address: &str, caller: &Caller) -> Result<Route, Failure> {
        self.sources.route(address, caller).await
    }

    async fn check_out(&self, folder: &Path, source: &Workspace, caller: &Caller) -> Result<(), Failure> {
        let folder = Folder::new(&self.processes, folder.to_owned())?;
        let caller = caller.for_checkout();
        let route = self.route(&source.git, &caller).await?;
        let mut git = Git::new(caller, &folder);
        git.env.extend(variables(route));
        git.run(&[&["clone", "--quiet", "--no-hardlinks"], of_others("--upload-pack", &source.git), &["--", &source.git, "."]].concat())
            .await?;
        if let Some(reference) = &source.r#ref {
            // A branch is taken from the origin; tags and commits have the same name everywhere.
            let of_origin = format!("origin/{reference}");
            let name = if git.commit(&of_origin).await?.is_some() { &of_origin } else { reference };
            git.run(&["checkout", "--quiet", "--detach", name]).await?;
        }
        Ok(())
    }

    /// Removes folders that were not changed for this time.
    pub(crate) async fn prune(&self, age: Duration) {
        let runs = match self.supervised(move |sandbox| sandbox.idle_workspaces(age)).await {
            Ok(runs) => runs,
            Err(failure) => return tracing::warn!(error = failure.message, "could not list old workspaces"),
        };
        for run in runs {
            self.remove(run).await;
        }
    }

    /// Removes the folder of a run, if there is one; what could not be removed stays for the next time.
    pub(crate) async fn remove(&self, run: Uuid) {
        self.created.lock().expect("the lock is never poisoned").remove(&run);
        match self.supervised(move |sandbox| sandbox.find_workspace(run)?.map_or(Ok(()), |folder| sandbox.remove(&folder))).await {
            Ok(()) => self.disk.remove(run),
            Err(failure) => tracing::warn!(error = failure.message, %run, "could not remove a workspace"),
        }
    }

    /// The runs that have a folder on this machine.
    pub(crate) async fn runs(&self) -> Vec<Uuid> {
        let all = self.supervised(|sandbox| sandbox.idle_workspaces(Duration::ZERO)).await;
        all.inspect_err(|failure| tracing::warn!(error = failure.message, "could not list workspaces")).unwrap_or_default()
    }

    /// Measures the folders of these runs, those of ended ones once. Returns the runs whose folders must go so that the rest fits.
    pub(crate) async fn measure(&self, runs: Vec<Uuid>, unfinished: &HashSet<Uuid>) -> Vec<Uuid> {
        let mut found = HashMap::new();
        for run in runs {
            let bytes = match self.disk.known(run) {
                // A run that was retried changes it again.
                Some(known) if known.is_last && !unfinished.contains(&run) => Ok(known.bytes),
                _ => self.bytes(run).await,
            };
            let bytes = bytes.inspect_err(|failure| tracing::warn!(error = failure.message, %run, "could not measure a workspace"));
            found.insert(run, bytes.ok());
        }
        self.disk.update(found, unfinished)
    }

    async fn bytes(&self, run: Uuid) -> Result<u64, Failure> {
        match self.supervised(move |sandbox| sandbox.find_workspace(run)).await? {
            Some(path) => measure(&self.processes, &Folder::new(&self.processes, path)?).await,
            None => Ok(0),
        }
    }

    /// Bytes of all workspaces when they were measured last, and how many there were.
    pub(crate) fn usage(&self) -> (u64, usize) {
        self.disk.usage()
    }

    async fn supervised<T: Send + 'static>(&self, call: impl FnOnce(&Sandbox) -> Result<T, String> + Send + 'static) -> Result<T, Failure> {
        let sandbox = self.sandbox.clone();
        let done = tokio::task::spawn_blocking(move || call(&sandbox)).await;
        done.map_err(|error| error.to_string()).flatten().map_err(|why| Failure::transient(format!("workspace: {why}")))
    }
}
