//! What is in a workspace, as data: listed, packed and unpacked by a process of its own with the rights of the workspace's user for files. No
//! process of that user does it, so nothing that a step left there can take part. What changed between two listings is decided by the worker.

mod entry;
mod job;
mod list;
mod pack;
mod place;
mod unpack;

pub use entry::{Listed, Part, PartKind, memory_file, read_header, write_header};
pub use job::TreeOp;
pub(crate) use job::{TreeJob, do_job, run};
