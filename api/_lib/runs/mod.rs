//! `/api/runs`: submit a plan, list and show runs, steer them.

mod control;
pub(crate) mod create;
pub(crate) mod list;
pub(crate) mod log;
mod retry;
pub(crate) mod show;
mod timeline;

use crate::http::{Routes, routes};

pub(super) fn router<R: Routes>() -> R {
    R::default()
        .routes(routes!(list::list_runs, create::create_run))
        .routes(routes!(show::show_run))
        .routes(routes!(timeline::show_timeline))
        .routes(routes!(control::cancel_run))
        .routes(routes!(control::pause_run))
        .routes(routes!(control::resume_run))
        .routes(routes!(retry::retry_run))
        .routes(routes!(retry::retry_step))
        .routes(routes!(log::show_step_log))
        .routes(routes!(crate::gates::list_run_gates))
        .routes(routes!(crate::artifacts::show_lineage))
}
