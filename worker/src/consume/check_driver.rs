//! Whether this deployment can run a step where and how its plan and its tenant demand. If not, the step fails: it never runs with less.
//! Where it runs was decided before: see `route`. What a driver enforces in the end is its own check, when it starts a process.

use nofx_shared::drivers::{Driver, Level, Network, Placement, Toolchain};
use nofx_shared::engine::{ClaimedStep, Failure};

use crate::drivers::Isolation;

/// `offered`: see `drivers::offered`.
pub(super) fn check_driver(step: &ClaimedStep, isolation: &Isolation, offered: &[(Driver, &[Placement])]) -> Result<(), Failure> {
    if let Some(fault) = step.request(isolation.floor).faults("").first() {
        let field = fault.pointer.trim_start_matches('/');
        return Err(Failure::permanent(format!("`{field}` of the step: {}", fault.detail)));
    }
    let driver = step.driver();
    let names = || offered.iter().map(|(driver, _)| driver.as_str()).collect::<Vec<_>>().join(", ");
    let Some((_, placements)) = offered.iter().find(|(offered, _)| *offered == driver) else {
        let why = format!("this deployment does not offer the driver {driver}; it offers {}", names());
        return Err(Failure::permanent(why));
    };
    check_network(step, isolation)?;
    check_toolchains(step, isolation)?;
    match step.spec.placement {
        Some(placement) if !placements.contains(&placement) => {
            Err(Failure::permanent("this deployment does not offer the `placement` of the step: remove it"))
        }
        _ => check_level(step, isolation),
    }
}

/// The egress proxy is on the worker's machine, and only Landlock or a network of its own keeps a program to it.
fn check_network(step: &ClaimedStep, isolation: &Isolation) -> Result<(), Failure> {
    let is_proxied = step.spec.resources.as_ref().is_some_and(|asked| asked.network == Some(Network::Proxy));
    if is_proxied && !is_here(step) {
        let why = "only steps on the worker's own machine have an egress proxy; set `resources.network` to `none` or `all`";
        return Err(Failure::permanent(why));
    }
    if is_proxied && step.min_isolation(isolation.floor) < Some(Level::L2) {
        let why = "`resources.network: proxy` needs L2, since nothing keeps a program to the proxy at L1; set `min_isolation` to `L2`, or \
            name another network (steps that name none have that of NOFX_STEP_NETWORK)";
        return Err(Failure::permanent(why));
    }
    Ok(())
}

/// Toolchains that are not there, or that cannot be hidden from the step: only Landlock keeps a program from what every user may read.
fn check_toolchains(step: &ClaimedStep, isolation: &Isolation) -> Result<(), Failure> {
    let Some(named) = step.toolchains().filter(|_| has_programs(step)) else { return Ok(()) };
    if let Some(unknown) = named.iter().find(|name| !isolation.toolchains.contains(name)) {
        let there: Vec<&str> = isolation.toolchains.iter().map(Toolchain::as_str).collect();
        let there = if there.is_empty() { "none with a name".to_owned() } else { there.join(", ") };
        let why = format!("`toolchains` of the step, by its plan or its tenant: this worker has no `{unknown}`; it has {there}");
        return Err(Failure::permanent(why));
    }
    if step.min_isolation(isolation.floor) < Some(Level::L2) {
        let why = "`toolchains` need L2, since nothing keeps a program from the others at L1; set `min_isolation` to `L2`";
        return Err(Failure::permanent(why));
    }
    Ok(())
}

/// Others have a machine of their own, which its provider confines.
fn is_here(step: &ClaimedStep) -> bool {
    step.driver() == Driver::WorkerContainer && step.spec.placement.is_none()
}

/// Whether its tool itself runs git in the workspace, here whatever its driver: git runs what earlier steps left there.
fn runs_git(step: &ClaimedStep) -> bool {
    step.tool == "codegen" || step.tool.starts_with("git:") || step.tool.starts_with("workspace:")
}

/// Whether programs run here for it that somebody else wrote, or that run what somebody else left.
fn has_programs(step: &ClaimedStep) -> bool {
    runs_git(step) || is_here(step) && step.runs_foreign_code()
}

/// A level that its programs cannot have here: the operator lifts an own minimum by name, not that of a plan or a tenant.
fn check_level(step: &ClaimedStep, isolation: &Isolation) -> Result<(), Failure> {
    if isolation.floor.is_none() && !is_here(step) && step.runs_foreign_code() {
        // What comes back from a machine is hostile, and unpacked by programs that must be confined.
        let why = "a machine of the step's own needs a worker that isolates: this one has NOFX_ISOLATION=none";
        return Err(Failure::permanent(why));
    }
    let has_own = is_here(step) && step.runs_foreign_code();
    // The operator's minimum is that of programs of plans. Git has it, too, where the host does; where not, the best that there is.
    let floor = isolation.floor.filter(|_| has_own);
    let Some(least) = step.min_isolation(floor).filter(|_| has_programs(step)) else { return Ok(()) };
    if isolation.floor.is_none() {
        return Err(Failure::permanent(format!(
            "`min_isolation` of the step is {least}, by its plan or its tenant, and NOFX_ISOLATION=none of this worker isolates nothing"
        )));
    }
    match isolation.lacking.get(&least) {
        Some(why) => {
            let why = format!("`min_isolation` of the step is {least}, which the host of this worker does not offer: {why}");
            let elsewhere = "; name a `driver` that reaches L4, or have the operator set NOFX_L4_DRIVER";
            Err(Failure::permanent(if has_own { why + elsewhere } else { why }))
        }
        None => Ok(()),
    }
}
