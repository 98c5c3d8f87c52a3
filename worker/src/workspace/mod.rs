//! The workspace of a run: what its steps begin with and what they leave, on whichever worker they run. It is a state of the run, named by a
//! digest; a folder only has it for a while. What steps do in a folder is not here: see `step` and `handlers`.

mod access;
mod begin;
mod begun;
mod caller;
mod checkout;
mod disk;
mod exact_tree;
mod folder;
mod git;
mod leave;
mod listing;
mod make;
mod manifest;
mod merge;
mod packed;
mod planted;
mod pool;
mod restore;
mod seen;
mod source;
mod store;
mod tree_id;
mod trees;
mod workspaces;

pub(crate) use access::Access;
pub(crate) use begun::Begun;
pub(crate) use caller::Caller;
pub(crate) use folder::{Folder, file_name};
pub(crate) use git::{Git, excludes, of_others};
pub(crate) use source::{Sources, variables};
pub(crate) use trees::Trees;
pub(crate) use workspaces::Workspaces;
