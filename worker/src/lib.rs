//! The worker: is woken when there may be work, claims steps, executes them and settles their outcomes.

mod admin;
mod consume;
mod dependencies;
mod drivers;
mod egress;
mod error;
mod function;
mod gates;
mod handlers;
mod jobs;
mod listener;
mod metrics;
mod models;
mod process_usage;
mod queue_metrics;
mod retry;
mod sbom;
mod startup;
mod step;
mod task;
mod task_protection;
mod worker;
mod working_tree;
mod workspace;

pub use admin::is_healthy;
pub use drivers::{is_printable, printable};
pub use function::function_executor;
pub use task::serve_task;
pub use worker::run;
pub use working_tree::{GateOptions, GateVerdict, Refused, judge_working_tree};
