use std::path::PathBuf;

use nofx_sandbox::{Files, Running, Sandbox};

/// The home of a process that is not started yet: its scratch folder. It is removed when this is dropped before that.
pub(crate) struct Home {
    sandbox: Sandbox,
    path: Option<PathBuf>,
}

impl Home {
    pub(super) fn new(sandbox: Sandbox, path: PathBuf) -> Self {
        Self { sandbox, path: Some(path) }
    }

    /// What is below it. Its calls may wait for a disk: not for the loop's thread.
    pub(crate) fn files(&self) -> Option<Files> {
        self.path.as_ref().map(|path| self.sandbox.files(path))
    }

    pub(super) fn path(&self) -> Option<PathBuf> {
        self.path.clone()
    }

    /// It belongs to a process that was started, which removes it at its end.
    pub(super) fn started(mut self) {
        self.path = None;
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // Nobody waits for it.
            self.sandbox.remove_later(path);
        }
    }
}

/// The home that a process has left, until this is dropped.
pub(crate) struct LeftHome(Running);

impl LeftHome {
    pub(super) fn new(ended: Running) -> Self {
        Self(ended)
    }

    pub(crate) fn files(&self) -> Files {
        self.0.scratch()
    }
}
