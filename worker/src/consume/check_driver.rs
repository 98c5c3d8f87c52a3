//! Whether this deployment can run a step where and how its plan and its tenant demand. If not, the step fails: it never runs elsewhere or
//! with less. What a driver enforces in the end is its own check, when it starts a process.

use nofx_shared::drivers::{Driver, Level, Network, Placement};
use nofx_shared::engine::{ClaimedStep, Failure};

/// `floor`: the operator's minimum of isolation; `offered`: see `drivers::offered`.
pub(super) fn check_driver(step: &ClaimedStep, floor: Level, offered: &[(Driver, &[Placement])]) -> Result<(), Failure> {
    if let Some(fault) = step.request(floor).faults("").first() {
        let field = fault.pointer.trim_start_matches('/');
        return Err(Failure::permanent(format!("`{field}` of the step: {}", fault.detail)));
    }
    let driver = step.driver();
    let names = || offered.iter().map(|(driver, _)| driver.as_str()).collect::<Vec<_>>().join(", ");
    let Some((_, placements)) = offered.iter().find(|(offered, _)| *offered == driver) else {
        let why = format!("this deployment does not offer the driver {driver}; it offers {}", names());
        return Err(Failure::permanent(why));
    };
    if step.spec.resources.as_ref().is_some_and(|asked| asked.network == Some(Network::Proxy)) {
        return Err(Failure::permanent("this deployment has no egress proxy for `resources.network`: say `none` or `all`"));
    }
    match step.spec.placement {
        Some(placement) if !placements.contains(&placement) => {
            Err(Failure::permanent("this deployment does not offer the `placement` of the step: remove it"))
        }
        _ => Ok(()),
    }
}
