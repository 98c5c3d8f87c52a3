use super::folder::Folder;
use super::pool::{InUse, Ready};

/// A workspace that a step uses, and what it began with.
pub(crate) struct Begun {
    pub(super) used: InUse,
    pub(super) folder: Folder,
    pub(super) ready: Ready,
    /// It was put together for this step: nobody else has stored it.
    pub(super) is_merged: bool,
    /// A later step begins with what this one leaves.
    pub(super) is_needed: bool,
}

impl Begun {
    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// What git sees of what the step began with; none when it is no repository and nobody has changed anything.
    pub(crate) fn tree(&self) -> Option<&str> {
        self.ready.tree.as_deref()
    }

    /// None: the checkout, or an empty folder.
    pub(crate) fn snapshot(&self) -> Option<&str> {
        self.ready.snapshot.as_deref()
    }

    /// The commit that the run began with.
    pub(crate) fn pinned_commit(&self) -> Option<&str> {
        self.ready.manifest.commit.as_deref()
    }
}
