//! Files that a step could have written: opened beneath a folder, never through a link out of it, never waited for, and read up to a limit.
//! Who opens them is not decided here: see `client/files`.

mod kind;
mod open;

pub use kind::Kind;
pub(crate) use open::{create, kind, list, plain, read, remove};
