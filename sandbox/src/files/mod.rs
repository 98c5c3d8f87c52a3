//! Files that a step could have written: opened beneath a folder, never through a link out of it, never waited for, and read up to a limit.
//! With a supervisor they are opened as the step's user (`supervisor/files`), and the worker gets the descriptor.

mod access;
mod kind;
mod open;

pub use access::Files;
pub use kind::Kind;
pub(crate) use open::{create, kind, list, read, remove};
