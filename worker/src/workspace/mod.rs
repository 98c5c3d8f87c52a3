//! One folder for each run, with a checkout of the plan's repository. The run's steps on this worker share it; another worker makes its
//! own. What steps do in it is not here: see `step` and `handlers`.

mod caller;
mod disk;
mod exact_tree;
mod folder;
mod git;
mod planted;
mod snapshot;
mod source;
mod workspaces;

pub(crate) use caller::Caller;
pub(crate) use folder::{Folder, file_name};
pub(crate) use git::{Git, of_others};
pub(crate) use snapshot::Snapshots;
pub(crate) use source::{Sources, variables};
pub(crate) use workspaces::Workspaces;
