use std::collections::BTreeSet;
use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nofx_shared::drivers::Toolchain;
use uuid::Uuid;

use crate::client::{Client, Files, Program, Running};
use crate::tree::TreeOp;
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

    /// A new folder for a step of a run, of a user of its own. It goes with this worker, unless it is removed before.
    pub fn create_workspace(&self, run: Uuid) -> Result<PathBuf, String> {
        self.created(FolderOp::Create { run })
    }

    /// Lists, packs or unpacks a workspace, with the rights of its user for files and in a process of its own; see `TreeOp` for what is read
    /// and written. Nothing may run in the workspace meanwhile.
    pub fn tree(&self, folder: &Path, op: TreeOp, input: impl AsFd, output: impl AsFd) -> Result<(), String> {
        let request = Request::Tree { folder: folder.to_owned(), op };
        self.0.call_with(request, &[input.as_fd(), output.as_fd()], None).1.map(drop)
    }

    /// The same without a supervisor, with the rights of this process.
    pub fn own_tree(folder: &Path, op: &TreeOp, input: File, output: File) -> Result<(), String> {
        crate::tree::run(folder, op, input, output)
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

    /// Removes what workers that are gone have left, later.
    pub fn clean(&self) -> Result<(), String> {
        self.0.call(Request::Folder(FolderOp::Clean)).map(drop)
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
}
