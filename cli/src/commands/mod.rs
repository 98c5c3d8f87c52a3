//! One file per command: its options, whose comments are its help, and what it does. Calls, discovery and printing are elsewhere.

pub(crate) mod artifact;
pub(crate) mod audit;
pub(crate) mod control;
pub(crate) mod decide;
pub(crate) mod dev;
pub(crate) mod dlq;
pub(crate) mod events;
pub(crate) mod gate;
pub(crate) mod id;
pub(crate) mod isolation;
pub(crate) mod policy;
pub(crate) mod quota;
pub(crate) mod retention;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod sandbox;
pub(crate) mod show;
pub(crate) mod smoke;
pub(crate) mod worker;
pub(crate) mod workspace;
