//! One folder for each run, with a checkout of the plan's repository. The run's steps on this worker share it; another worker makes its
//! own. What steps do in it is not here: see `step` and `handlers`.

mod beneath;
mod git;
mod path;
mod root;
mod snapshot;
mod workspaces;

pub(crate) use beneath::{Beneath, Kind};
pub(crate) use git::Git;
pub(crate) use path::{file_below, folder_below};
pub(crate) use root::prepare;
pub(crate) use snapshot::Snapshots;
pub(crate) use workspaces::Workspaces;
