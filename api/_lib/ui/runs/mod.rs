//! `/ui/runs`: the list, one run with everything about it, and new ones.

pub(super) mod bulk;
mod curl;
pub(super) mod detail;
mod drawer;
pub(super) mod list;
pub(super) mod log;
pub(super) mod new;
mod read;
pub(super) mod steer;
mod timeline;

pub(super) use drawer::findings;
