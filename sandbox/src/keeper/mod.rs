//! A process that keeps one process of a step: it is the reaper of all of its descendants, kills them when it has ended or the supervisor
//! is gone, and removes its scratch folder. How the process confines itself is not here: see `launch`.

mod descendants;
mod keep;
mod remove;
mod started;

pub(crate) use keep::keep;
