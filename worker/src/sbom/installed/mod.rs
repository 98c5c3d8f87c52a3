//! What is installed in the workspace, whether a lock file names it or not.

mod node;
mod python;

pub(super) use node::node;
pub(super) use python::python;
