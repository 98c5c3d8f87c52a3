use std::collections::BTreeSet;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nofx_shared::drivers::Toolchain;
use uuid::Uuid;

use crate::client::{Client, Files, Program, Running};
use crate::wire::{Answer, Ended, FolderOp, Request};

/// The worker's supervisor, as the worker sees it. Every call but `heartbeat` may wait for a disk.
#[derive(Clone)]
pub struct Sandbox(Arc<Client>);

impl Sandbox {
    pub(crate) fn supervised(client: Arc<Client>) -> Self {
        Self(client)
    }

    /// Says that the loop which calls this is alive: once it has begun, it must do so every second. Never waits.
    pub fn heartbeat(&self) {
        self.0.heartbeat();
    }

    /// Starts a program; `on_end` is called once, from another thread, when it and all of its descendants have ended.
    pub fn start(
        &self,
        program: Program,
        stdout: impl AsFd,
        stderr: impl AsFd,
        on_end: impl FnOnce(Result<Ended, String>) + Send + 'static,
    ) -> Result<Running, String> {
        Running::start(&self.0, program, stdout, stderr, on_end)
    }

    /// What is below a workspace or scratch folder, or below a folder in one.
    pub fn files(&self, folder: &Path) -> Files {
        Files::of_supervisor(Arc::clone(&self.0), folder.to_owned())
    }

    /// The workspace of a run, if there is one.
    pub fn find_workspace(&self, run: Uuid) -> Result<Option<PathBuf>, String> {
        self.folder(FolderOp::Find { run })
    }

    /// A folder for a run that has none, of a user of its own, until it is adopted.
    pub fn create_workspace(&self, run: Uuid) -> Result<PathBuf, String> {
        self.created(FolderOp::Create { run })
    }

    /// Makes a folder that is complete the workspace of its run. When there is one by now, that is the workspace, and the folder is to be
    /// removed.
    pub fn adopt_workspace(&self, run: Uuid, folder: &Path) -> Result<bool, String> {
        let answer = self.0.call(Request::Folder(FolderOp::Adopt { run, folder: folder.to_owned() }))?.0;
        Ok(matches!(answer, Answer::Done))
    }

    /// A scratch folder of the user whose folder this is in; of a user that has nothing else when none is named.
    pub fn scratch(&self, like: Option<PathBuf>) -> Result<PathBuf, String> {
        self.created(FolderOp::Scratch { like })
    }

    /// The scratch folder, and so the home, of a process that will be started in this folder. Whoever starts none removes it.
    pub fn prepare_scratch(&self, dir: PathBuf) -> Result<PathBuf, String> {
        self.created(FolderOp::Prepare { dir })
    }

    /// Removes a workspace or scratch folder with all that is in it.
    pub fn remove(&self, folder: &Path) -> Result<(), String> {
        self.0.call(Request::Folder(FolderOp::Remove { folder: folder.to_owned() })).map(drop)
    }

    /// The same, later: nobody waits for it.
    pub fn remove_later(&self, folder: &Path) {
        self.0.send(Request::Folder(FolderOp::Remove { folder: folder.to_owned() }));
    }

    /// Runs whose workspaces were not changed for this time.
    pub fn idle_workspaces(&self, age: Duration) -> Result<Vec<Uuid>, String> {
        match self.0.call(Request::Folder(FolderOp::Idle { seconds: age.as_secs() }))?.0 {
            Answer::Runs(runs) => Ok(runs),
            _ => Err("the supervisor gave another answer".to_owned()),
        }
    }

    /// The names of the toolchains that programs find here.
    pub fn toolchains(&self) -> Result<BTreeSet<Toolchain>, String> {
        match self.0.call(Request::Toolchains)?.0 {
            Answer::Toolchains(names) => Ok(names),
            _ => Err("the supervisor gave another answer".to_owned()),
        }
    }

    fn created(&self, op: FolderOp) -> Result<PathBuf, String> {
        match self.0.call(Request::Folder(op))?.0 {
            Answer::Created(folder) => Ok(folder),
            _ => Err("the supervisor gave another answer".to_owned()),
        }
    }

    fn folder(&self, op: FolderOp) -> Result<Option<PathBuf>, String> {
        match self.0.call(Request::Folder(op))?.0 {
            Answer::Folder(folder) => Ok(folder),
            _ => Err("the supervisor gave another answer".to_owned()),
        }
    }
}
