//! What the operator of this worker decides where a plan says nothing: where a step runs whose programs the host cannot isolate as much as they
//! must be, and what programs here reach. Decided when it is claimed, since the worker is known then.

use nofx_shared::drivers::Driver;
use nofx_shared::engine::ClaimedStep;

use crate::drivers::Isolation;

/// As if its plan had said so. A step whose plan names a driver or a placement stays: it fails where that cannot be had.
pub(super) fn route(step: &mut ClaimedStep, isolation: &Isolation) {
    let names_none = step.spec.driver.is_none() && step.spec.placement.is_none();
    // A tenant's default may have sent it elsewhere.
    let is_free = names_none && step.driver() == Driver::WorkerContainer && step.runs_foreign_code();
    let is_lacking = isolation.floor.is_some() && step.min_isolation(isolation.floor).is_some_and(|least| !isolation.offers(least));
    if let Some((driver, placement)) = isolation.elsewhere.filter(|_| is_free && is_lacking) {
        step.spec.driver = Some(driver);
        step.spec.placement = placement;
    }
    // A machine of the step's own is in another network than the worker.
    let is_here = step.driver() == Driver::WorkerContainer && step.spec.placement.is_none() && step.runs_foreign_code();
    if let Some(network) = isolation.network.filter(|_| is_here) {
        step.spec.resources.get_or_insert_default().network.get_or_insert(network);
    }
}

#[cfg(test)]
mod tests {
    use nofx_shared::drivers::{Driver, Level, Network, Placement};
    use nofx_shared::engine::ClaimedStep;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::{Isolation, route};

    const TASK: Option<(Driver, Option<Placement>)> = Some((Driver::WorkerContainer, Some(Placement::Ecs)));

    /// Of a kernel without Landlock.
    fn fargate(elsewhere: Option<(Driver, Option<Placement>)>) -> Isolation {
        let lacking = [Level::L2, Level::L3].map(|level| (level, "no Landlock".to_owned()));
        Isolation { floor: Some(Level::L2), lacking: lacking.into(), elsewhere, network: None, toolchains: [].into() }
    }

    fn step(tool: &str, spec: &Value, tenant: &Value, isolation: &Isolation) -> ClaimedStep {
        let row = json!({"id": Uuid::nil(), "run_id": Uuid::nil(), "tenant_id": Uuid::nil(), "name": "a", "tool": tool, "attempt": 1,
            "ready_at": "2026-01-01T00:00:00Z", "token": Uuid::nil(), "goal": "", "created_by": "", "spec": spec, "isolation": tenant});
        let mut step = ClaimedStep::read(&row.to_string()).expect("a claimed step");
        route(&mut step, isolation);
        step
    }

    fn routed(tool: &str, spec: &Value, tenant: &Value, isolation: &Isolation) -> (Driver, Option<Placement>) {
        let step = step(tool, spec, tenant, isolation);
        (step.driver(), step.spec.placement)
    }

    #[test]
    fn a_step_here_that_names_no_network_has_the_operators() {
        let able = Isolation { lacking: [].into(), network: Some(Network::Proxy), ..fargate(TASK) };
        let network = |tool: &str, spec: &Value, isolation: &Isolation| step(tool, spec, &json!(null), isolation).resources().network;
        assert_eq!(network("bash", &json!({}), &able), Some(Network::Proxy));
        assert_eq!(network("gate:unit", &json!({"resources": {"cpu_s": 9}}), &able), Some(Network::Proxy));
        assert_eq!(network("bash", &json!({"resources": {"network": "all"}}), &able), Some(Network::All), "by name");
        assert_eq!(network("bash", &json!({"driver": "e2b"}), &able), None, "it has a network of its own");
        assert_eq!(network("bash", &json!({}), &Isolation { network: Some(Network::Proxy), ..fargate(TASK) }), None, "it went elsewhere");
        assert_eq!(network("git:push", &json!({}), &able), None, "it runs no program of a plan");
        assert_eq!(network("bash", &json!({}), &fargate(None)), None);
    }

    #[test]
    fn what_this_host_cannot_isolate_goes_where_the_operator_says() {
        let (none, here) = (json!(null), (Driver::WorkerContainer, None));
        for tool in ["bash", "gate:unit"] {
            assert_eq!(routed(tool, &json!({}), &none, &fargate(TASK)), (Driver::WorkerContainer, Some(Placement::Ecs)));
            assert_eq!(routed(tool, &json!({}), &none, &fargate(Some((Driver::E2b, None)))), (Driver::E2b, None));
            assert_eq!(routed(tool, &json!({}), &none, &fargate(None)), here);
        }
        for tool in ["noop", "git:commit", "workspace:write", "codegen"] {
            assert_eq!(routed(tool, &json!({}), &none, &fargate(TASK)), here, "{tool} is the worker's own");
        }
        let demanding = json!({"driver": null, "min_isolation": "L4"});
        let able = Isolation { lacking: [].into(), ..fargate(TASK) };
        assert_eq!(routed("bash", &json!({}), &demanding, &able), (Driver::WorkerContainer, Some(Placement::Ecs)), "no host has L4");
        assert_eq!(routed("bash", &json!({}), &none, &able), here, "this host has the minimum");
        let lowered = Isolation { floor: Some(Level::L1), ..fargate(TASK) };
        assert_eq!(routed("bash", &json!({}), &none, &lowered), here, "the operator lowered it by name");
        assert_eq!(routed("bash", &json!({"min_isolation": "L2"}), &none, &lowered), (Driver::WorkerContainer, Some(Placement::Ecs)));
    }

    #[test]
    fn what_a_plan_or_a_tenant_names_stays() {
        let isolation = fargate(TASK);
        for driver in [Driver::WorkerContainer, Driver::E2b] {
            assert_eq!(routed("bash", &json!({"driver": driver}), &json!(null), &isolation), (driver, None));
        }
        assert_eq!(routed("bash", &json!({}), &json!({"driver": "modal"}), &isolation), (Driver::Modal, None));
        let lifted = Isolation { floor: None, ..isolation };
        let own = json!({"min_isolation": "L2"});
        assert_eq!(routed("bash", &own, &json!(null), &lifted), (Driver::WorkerContainer, None), "machines need a worker that isolates");
    }
}
