//! What a step may reach: its context, the services of its worker, processes, logs and artifacts. Knows no handler, no gate, and not how
//! steps are claimed and settled: that is `consume`.

mod artifacts;
mod ask;
mod attempt;
mod context;
mod live_log;
mod masked;
mod on_function;
mod process;
mod retry;
mod services;
mod turns;

pub(crate) use artifacts::media_type;
pub(crate) use attempt::Attempt;
pub(crate) use context::StepContext;
pub(crate) use masked::{masked, masked_failure, without_nul};
pub(crate) use services::Services;
