//! One file a command.

pub(crate) mod artifact;
pub(crate) mod audit;
pub(crate) mod control;
pub(crate) mod decide;
pub(crate) mod dev;
pub(crate) mod dlq;
pub(crate) mod events;
mod queue;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod show;
pub(crate) mod smoke;
pub(crate) mod worker;
