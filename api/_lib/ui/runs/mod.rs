//! `/ui/runs`: the list, one run with everything about it, and new ones.

pub(super) mod bulk;
pub(super) mod control;
mod curl;
pub(super) mod detail;
mod drawer;
mod graph;
pub(super) mod list;
pub(super) mod log;
pub(super) mod new;
mod query;
mod read;
mod shown;
mod timeline;
