//! The worker's end of the socket to its supervisor: starts processes, opens files, sends heartbeats. Calls wait for their answer: not for
//! the loop's thread.

mod bridge;
mod call;
mod files;
mod run;

pub use bridge::Bridge;
pub(crate) use call::Client;
pub use files::Files;
pub use run::{Program, Running};
