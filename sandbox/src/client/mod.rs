//! The worker's end of the socket to its supervisor: starts processes, opens files, beats. Calls wait for their answer: not for the loop's
//! thread.

mod call;
mod files;
mod run;

pub(crate) use call::Client;
pub use files::Files;
pub use run::{Program, Running};
