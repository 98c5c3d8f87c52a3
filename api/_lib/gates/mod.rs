//! `/api/gates`: request a gate, decide it, list gates, and the policies that require them.

mod decide;
mod gate;
mod get;
mod list;
pub(crate) mod list_all;
mod policies;
mod request;

use crate::http::{Routes, routes};

pub(crate) use gate::{COLUMNS, Gate};
pub(crate) use get::find;
pub(crate) use list::{__path_list_run_gates, list_run_gates};
pub(crate) use list_all::GateStatus;
pub(crate) use policies::{GatePolicy, list_policies};

pub(super) fn router<R: Routes>() -> R {
    R::default()
        .routes(routes!(list_all::list_gates))
        .routes(routes!(request::request_gate))
        .routes(routes!(policies::list_gate_policies))
        .routes(routes!(policies::set_gate_policy))
        .routes(routes!(policies::delete_gate_policy))
        .routes(routes!(get::get_gate))
        .routes(routes!(decide::approve_gate))
        .routes(routes!(decide::reject_gate))
        .routes(routes!(decide::waive_gate))
}
