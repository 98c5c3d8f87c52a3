//! Judges a working tree on the spot: the gates of the tools' list, by the same code and with the same evidence as in a run, but without
//! a database, a store or a run. Where the plan is read and how verdicts are printed is not here: that is the command's.

mod choose;
mod judge;
mod options;
mod save;

pub use judge::judge_working_tree;
pub use options::{GateOptions, GateVerdict, Refused};
