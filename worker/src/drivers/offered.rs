use nofx_shared::drivers::{Driver, Placement};

/// The drivers that this deployment has, each with the placements that it can give to a step. `has_function`: whether a worker knows where the
/// function is and what calls are signed with.
pub(crate) fn offered(has_function: bool) -> Vec<(Driver, &'static [Placement])> {
    let function = (Driver::VercelFunction, [].as_slice());
    [(Driver::WorkerContainer, [].as_slice())].into_iter().chain(has_function.then_some(function)).collect()
}
