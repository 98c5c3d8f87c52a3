//! Whether this deployment can run a step where and how its plan and its tenant demand. If not, the step fails: it never runs elsewhere or
//! with less. What a driver enforces in the end is its own check, when it starts a process.

use nofx_shared::drivers::{Level, Network};
use nofx_shared::engine::{ClaimedStep, Failure};

use crate::drivers::OFFERED;

/// `floor`: the operator's minimum of isolation.
pub(super) fn check_driver(step: &ClaimedStep, floor: Level) -> Result<(), Failure> {
    if let Some(fault) = step.request(floor).faults("").first() {
        let field = fault.pointer.trim_start_matches('/');
        return Err(Failure::permanent(format!("`{field}` of the step: {}", fault.detail)));
    }
    let driver = step.driver();
    let names = || OFFERED.iter().map(|(driver, _)| driver.as_str()).collect::<Vec<_>>().join(", ");
    let Some((_, placements)) = OFFERED.iter().find(|(offered, _)| *offered == driver) else {
        let why = format!("this deployment does not offer the driver {driver}; it offers {}", names());
        return Err(Failure::permanent(why));
    };
    let is_proxied = step.spec.resources.as_ref().is_some_and(|asked| asked.network == Some(Network::Proxy));
    if is_proxied && step.min_isolation(floor) < Level::L2 {
        let why = "`resources.network: proxy` needs L2, since nothing keeps a program to the proxy at L1: say `min_isolation: L2`";
        return Err(Failure::permanent(why));
    }
    match step.spec.placement {
        Some(placement) if !placements.contains(&placement) => {
            Err(Failure::permanent("this deployment does not offer the `placement` of the step: remove it"))
        }
        _ => Ok(()),
    }
}
