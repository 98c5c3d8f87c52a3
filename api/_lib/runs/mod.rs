//! `/api/runs`: submit a plan, list and get runs, control them.

pub(crate) mod attempts;
pub(crate) mod checked;
mod control;
pub(crate) mod create;
pub(crate) mod get;
mod inputs;
pub(crate) mod list;
pub(crate) mod log;
mod retry;
mod timeline;
pub(crate) mod usage;

use crate::http::{Routes, routes};

pub(super) fn router<R: Routes>() -> R {
    R::default()
        .routes(routes!(list::list_runs, create::create_run))
        .routes(routes!(get::get_run))
        .routes(routes!(timeline::get_timeline))
        .routes(routes!(control::cancel_run))
        .routes(routes!(control::pause_run))
        .routes(routes!(control::resume_run))
        .routes(routes!(retry::retry_run))
        .routes(routes!(retry::retry_step))
        .routes(routes!(log::get_step_log))
        .routes(routes!(inputs::get_step_inputs))
        .routes(routes!(crate::gates::list_run_gates))
        .routes(routes!(crate::artifacts::get_lineage))
}
