//! `/ui/runs`: the list, one run with everything about it, and new ones.

pub(super) mod bulk;
pub(super) mod control;
mod curl;
pub(super) mod detail;
mod drawer;
pub(super) mod list;
pub(super) mod log;
pub(super) mod new;
mod read;
mod timeline;

pub(super) use drawer::findings;
