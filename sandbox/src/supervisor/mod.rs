//! The only part of a worker with privileges: one thread, no network, nothing of the engine. It starts the worker as a user without rights,
//! starts the processes of steps as users of their own, opens files as those users, and ends a worker that hangs.

mod capabilities;
mod enter;
mod files;
mod folders;
mod groups;
mod heart;
mod left;
mod memory;
mod places;
mod processes;
mod serve;
mod users;
mod worker_folder;

pub use enter::{Entered, enter};
