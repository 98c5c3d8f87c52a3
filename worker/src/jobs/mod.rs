//! Background jobs that every worker runs: one file for each, and the list of those that repeat in `schedule`. `deliver_hooks` and
//! `report_checks` are woken when there is work instead. A job claims nothing: steps are the work of `consume`.

mod bound_workspaces;
mod context;
mod deadlines;
mod deliver_hooks;
mod prune;
mod reap_machines;
mod report_checks;
mod rewrap_keys;
mod schedule;
mod sweep;
mod watch_queues;

pub(crate) use context::{JobContext, WorkerIdentity};
pub(crate) use schedule::spawn;
