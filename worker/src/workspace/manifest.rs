//! What a workspace has, as far as it differs from the checkout of its run's commit. Its digest names a snapshot, wherever it was made.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// What it differs from; none: an empty folder.
    pub commit: Option<String>,
    pub entries: BTreeMap<String, Entry>,
    /// What is not in it although the step left it, and why.
    pub left_out: BTreeMap<String, String>,
    /// Names of caches that are no caches in this repository: git sees what is in them.
    pub entered: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub state: State,
    /// Git does not see it.
    pub is_ignored: bool,
    /// The steps that changed it, one after the other.
    pub by: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Gone,
    Folder {
        mode: u32,
    },
    Link {
        target: String,
    },
    File {
        mode: u32,
        size: u64,
        mtime_ns: i64,
        sha256: String,
        /// The name that git gives the content as it is: no filter, and no setting of the repository, has a say in it.
        blob: String,
        /// The digest of the pack that has its content, and where.
        pack: String,
        at: u64,
    },
}

impl State {
    /// Whether both are the same, wherever their content is stored.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File { mode, sha256, .. }, Self::File { mode: other_mode, sha256: other_sha256, .. }) => {
                mode == other_mode && sha256 == other_sha256
            }
            _ => self == other,
        }
    }
}

impl Manifest {
    /// Of the checkout of a commit.
    pub(super) fn of(commit: Option<String>) -> Self {
        Self { commit, ..Self::default() }
    }

    pub(super) fn is_checkout(&self) -> bool {
        self.entries.is_empty()
    }

    /// A step changed a path.
    pub(super) fn change(&mut self, path: &str, state: State, is_ignored: bool, step: &str) {
        let mut by = self.entries.remove(path).map_or_else(Vec::new, |entry| entry.by);
        if by.last().is_none_or(|last| last != step) {
            by.push(step.to_owned());
        }
        self.left_out.remove(path);
        self.entries.insert(path.to_owned(), Entry { state, is_ignored, by });
    }

    /// The digests of the packs that have its contents.
    pub(super) fn packs(&self) -> BTreeSet<&str> {
        let pack = |entry| match entry {
            &Entry { state: State::File { ref pack, .. }, .. } => Some(pack.as_str()),
            _ => None,
        };
        self.entries.values().filter_map(pack).collect()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("all of it is data")
    }

    /// The name of the snapshot.
    pub(super) fn digest(&self) -> String {
        hex::encode(Sha256::digest(self.bytes()))
    }
}

/// Whether a path is git's own.
pub(super) fn is_gits(path: &str) -> bool {
    path == ".git" || path.starts_with(".git/")
}

/// Whether a path is one of git's objects, which are named by their content: more of them change nothing.
pub(super) fn is_object(path: &str) -> bool {
    path == ".git/objects" || path.starts_with(".git/objects/")
}
