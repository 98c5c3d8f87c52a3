//! A process that keeps one process of a step: it is the reaper of all of its descendants, kills them when it has ended or the supervisor
//! is gone or they use too much, and removes its scratch folder. How the process confines itself is not here: see `launch`.

mod descendants;
mod disk;
mod group;
mod helper;
mod keep;
mod memory;
mod processor;
mod remove;
mod signal_user;
mod together;

pub(crate) use helper::become_program;
pub(crate) use keep::keep;
pub(crate) use remove::remove_folder;
pub(crate) use signal_user::signal_own_user;
