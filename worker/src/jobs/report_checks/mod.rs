//! Reports the gates of runs from a pull request to the forge: one GitHub Check Run for each.
//!
//! A check says something of a commit to everyone who sees it there, so it is reported only when that is proven: see `proof`.
//!
//! Woken when a gate starts or ends on this worker, and by the sweep. The database records each report; a check that was created but not
//! recorded, because its worker was killed, is found by its `external_id`.

mod check_run;
mod github;
mod proof;
mod report;

pub(super) use report::run;
