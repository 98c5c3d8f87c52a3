use nofx_shared::drivers::{Driver, Placement};

/// The drivers that this deployment has, each with the placements that it can give to a step. `has_function`: whether a worker knows where the
/// function is and what calls are signed with. Those that make machines need an account, which `Accounts` finds when the first program of a step
/// starts.
pub(crate) fn offered(has_function: bool) -> Vec<(Driver, &'static [Placement])> {
    let function = (Driver::VercelFunction, [].as_slice());
    let machines = [(Driver::WorkerContainer, [Placement::Ecs].as_slice()), (Driver::E2b, &[]), (Driver::Modal, &[])];
    machines.into_iter().chain(has_function.then_some(function)).collect()
}
