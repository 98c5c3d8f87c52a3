//! A step as a claim hands it to a worker: by `settle_steps`, which claims too.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{Spec, StepStatus};
use crate::drivers::{Driver, Image, Level, Placement, Request, Resources, Toolchain, runs_foreign_code};
use crate::plan::Workspace;

/// A step that a worker holds a lease on. Executing borrows it; settling consumes it.
#[derive(Debug, Deserialize)]
pub struct ClaimedStep {
    pub id: Uuid,
    pub run_id: Uuid,
    pub tenant_id: Uuid,
    pub name: String,
    pub tool: String,
    pub attempt: u32,
    /// Since when it could run.
    pub ready_at: DateTime<Utc>,
    /// The fencing token: a settle with another one is refused.
    pub token: Uuid,
    #[serde(default, deserialize_with = "Spec::read")]
    pub spec: Spec,
    /// Why it cannot run: its row cannot be read. Of the other fields it has those that it is settled by, and none that says what to do.
    pub fault: Option<String>,
    pub goal: String,
    pub created_by: String,
    pub workspace: Option<Workspace>,
    /// The trace of the request that created the run.
    pub traceparent: Option<String>,
    pub item: Option<Value>,
    pub index: Option<i64>,
    /// The gate that it was parked on, or that someone added before it started.
    pub gate: Option<GateDecision>,
    /// Why it may not run yet; the database decides it from policies and breakers.
    pub hold: Option<Hold>,
    /// A `for_each` step's children, once they have finished.
    pub children: Option<Vec<Child>>,
    /// Outputs and status of the steps that its expressions name.
    pub step_outputs: Option<Value>,
    /// Its outputs when it was parked on a timer.
    pub parked_outputs: Option<Value>,
    /// Private networks that it may reach.
    pub networks: Option<Vec<IpNet>>,
    /// The open breakers of its tenant: `http:…`, `provider:…`.
    pub open_breakers: Option<Vec<String>>,
    /// What its tenant demands of where it runs.
    pub isolation: Option<TenantIsolation>,
    /// What its tenant's quota allows one step.
    pub quota: Option<StepQuota>,
}

/// The most that one step may use, in MiB; none: no limit.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct StepQuota {
    pub memory_mb: Option<u64>,
    pub disk_mb: Option<u64>,
}

/// A tenant's settings as they apply to the tool of a step.
#[derive(Clone, Debug, Deserialize)]
pub struct TenantIsolation {
    /// The default driver.
    pub driver: Option<Driver>,
    /// The highest minimum that the tenant set for all steps or for the tool.
    pub min_isolation: Option<Level>,
    /// Default images, by what makes a machine of them: a driver, or `task` for that placement.
    #[serde(default)]
    pub images: BTreeMap<String, Image>,
    /// The toolchains that its steps see which name none; none: all.
    pub toolchains: Option<Vec<Toolchain>>,
}

impl ClaimedStep {
    /// Whether the tenant's breaker of this target was open when the step was claimed.
    pub fn is_breaker_open(&self, target: &str) -> bool {
        self.open_breakers.iter().flatten().any(|open| open == target)
    }

    /// Where it runs: as its plan says, else by the tenant's default, if that takes the tool.
    pub fn driver(&self) -> Driver {
        let default = self.isolation.as_ref().and_then(|tenant| tenant.driver);
        let default = default.filter(|driver| self.spec.placement.is_none() && driver.takes(&self.tool));
        self.spec.driver.or(default).unwrap_or_default()
    }

    /// The minimum of isolation that applies to it: of its plan, its tenant and the operator (`floor`) the highest. A plan cannot lower it.
    /// None: none of them has one.
    pub fn min_isolation(&self, floor: Option<Level>) -> Option<Level> {
        let tenant = self.isolation.as_ref().and_then(|tenant| tenant.min_isolation);
        [self.spec.min_isolation, tenant, floor].into_iter().flatten().max()
    }

    /// What its machine is made from: what its plan names, else its tenant's default for what makes the machine. None: the driver's own.
    pub fn image(&self) -> Option<&Image> {
        let maker = match self.spec.placement {
            Some(Placement::Ecs) => "task",
            None => self.driver().as_str(),
        };
        self.spec.image.as_ref().or_else(|| self.isolation.as_ref()?.images.get(maker))
    }

    /// The toolchains of its worker that its programs see: those that its plan names, else its tenant's. None: all, or it has a machine of its
    /// own, which has the tools of its image.
    pub fn toolchains(&self) -> Option<&[Toolchain]> {
        let is_of_a_worker = self.driver() == Driver::WorkerContainer && self.spec.placement.is_none();
        let named = self.spec.toolchains.as_ref().or_else(|| self.isolation.as_ref()?.toolchains.as_ref());
        named.filter(|_| is_of_a_worker).map(Vec::as_slice)
    }

    /// What it may use: what its plan says, within its tenant's quota, which also applies where the plan says nothing. For its driver.
    pub fn resources(&self) -> Resources {
        let asked = self.spec.resources.clone().unwrap_or_default();
        let least = |asked: Option<u64>, allowed: Option<u64>| asked.into_iter().chain(allowed).min();
        Resources {
            memory_mb: least(asked.memory_mb, self.quota.and_then(|quota| quota.memory_mb)),
            disk_mb: least(asked.disk_mb, self.quota.and_then(|quota| quota.disk_mb)),
            ..asked
        }
    }

    /// Whether its tool runs programs that somebody else wrote.
    pub fn runs_foreign_code(&self) -> bool {
        runs_foreign_code(&self.tool)
    }

    /// What it asks of its driver.
    pub fn request(&self, floor: Option<Level>) -> Request<'_> {
        Request {
            tool: &self.tool,
            driver: Some(self.driver()),
            placement: self.spec.placement,
            image: self.spec.image.as_ref(),
            toolchains: self.spec.toolchains.as_deref(),
            min_isolation: self.min_isolation(floor),
            resources: self.spec.resources.as_ref(),
            timeout_s: self.spec.timeout_s,
        }
    }
}

/// Why a claimed step may not run yet.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// A policy is not met: the step fails with this reason.
    Refuse(String),
    /// People must approve first.
    Approval(Approval),
    /// The breaker of this target is open.
    Breaker(String),
    /// The outputs that it reads were too much for the claim: another claim brings it.
    Later,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Approval {
    /// `manual:…`
    pub gate_type: String,
}

/// A gate as the step behind it sees it.
#[derive(Clone, Debug, Deserialize)]
pub struct GateDecision {
    pub id: Uuid,
    pub gate_type: String,
    pub status: String,
    pub decided_by: Option<String>,
    pub decided_at: Option<DateTime<Utc>>,
    pub reason: Option<String>,
}

/// A child of a `for_each` step.
#[derive(Debug, Deserialize)]
pub struct Child {
    pub name: String,
    pub status: StepStatus,
    pub outputs: Option<Value>,
    /// The outputs of all children are more than one step may have.
    #[serde(default)]
    pub left_out: bool,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::ClaimedStep;
    use crate::drivers::{Driver, Level};

    fn claimed(tool: &str, spec: &Value, isolation: &Value) -> ClaimedStep {
        let row = json!({
            "id": Uuid::nil(), "run_id": Uuid::nil(), "tenant_id": Uuid::nil(), "name": "a", "tool": tool, "attempt": 1, "token": Uuid::nil(),
            "ready_at": "2026-01-01T00:00:00Z", "goal": "", "created_by": "", "spec": spec, "isolation": isolation,
        });
        serde_json::from_value(row).expect("a claimed step")
    }

    #[test]
    fn the_highest_of_all_minimums_applies() {
        let least =
            |spec: &Value, tenant: &Value, floor| claimed("bash", spec, tenant).min_isolation(Some(floor)).expect("the floor at least");
        assert_eq!(least(&json!({}), &json!(null), Level::L2), Level::L2);
        assert_eq!(least(&json!({"min_isolation": "L1"}), &json!(null), Level::L2), Level::L2, "a plan cannot lower the floor");
        assert_eq!(least(&json!({"min_isolation": "L1"}), &json!({"min_isolation": "L3"}), Level::L2), Level::L3, "nor the tenant's");
        assert_eq!(least(&json!({"min_isolation": "L4"}), &json!({"min_isolation": "L3"}), Level::L2), Level::L4);
        assert_eq!(least(&json!({}), &json!({"driver": "e2b"}), Level::L1), Level::L1);
        let without_floor = |spec: &Value, tenant: &Value| claimed("bash", spec, tenant).min_isolation(None);
        assert_eq!(without_floor(&json!({}), &json!(null)), None);
        assert_eq!(without_floor(&json!({"min_isolation": "L1"}), &json!({"min_isolation": "L2"})), Some(Level::L2));
    }

    #[test]
    fn a_quota_limits_what_a_plan_asks_for_and_what_it_leaves_out() {
        let resources = |spec: &Value, quota: &Value| {
            let mut step = claimed("bash", spec, &json!(null));
            step.quota = serde_json::from_value(quota.clone()).expect("a quota");
            let resources = step.resources();
            (resources.cpu_s, resources.memory_mb, resources.disk_mb)
        };
        let asked = json!({"resources": {"cpu_s": 60, "memory_mb": 512}});
        assert_eq!(resources(&asked, &json!(null)), (Some(60), Some(512), None));
        assert_eq!(resources(&asked, &json!({"memory_mb": 256, "disk_mb": 64})), (Some(60), Some(256), Some(64)));
        assert_eq!(resources(&asked, &json!({"memory_mb": 1024, "disk_mb": null})), (Some(60), Some(512), None));
        assert_eq!(resources(&json!({}), &json!({"memory_mb": 256, "disk_mb": null})), (None, Some(256), None));
    }

    #[test]
    fn an_image_of_the_tenant_is_for_what_makes_machines_of_it() {
        let image = |spec: &Value, tenant: &Value| claimed("bash", spec, tenant).image().map(|image| image.as_str().to_owned());
        let tenant = json!({"driver": "e2b", "images": {"e2b": "base", "task": "ghcr.io/acme/tools:1"}});
        assert_eq!(image(&json!({}), &tenant).as_deref(), Some("base"));
        assert_eq!(image(&json!({"image": "own"}), &tenant).as_deref(), Some("own"), "a plan names another");
        assert_eq!(image(&json!({"placement": "task"}), &tenant).as_deref(), Some("ghcr.io/acme/tools:1"));
        assert_eq!(image(&json!({"driver": "modal"}), &tenant), None, "an image of E2B is none of Modal");
        assert_eq!(image(&json!({"driver": "worker-container"}), &tenant), None);
        assert_eq!((image(&json!({}), &json!({"driver": "e2b"})), image(&json!({}), &json!(null))), (None, None));
    }

    #[test]
    fn toolchains_are_those_of_the_plan_else_of_the_tenant() {
        let named = |spec: &Value, tenant: &Value| {
            let step = claimed("bash", spec, tenant);
            step.toolchains().map(|named| named.iter().map(|one| one.as_str().to_owned()).collect::<Vec<_>>())
        };
        let tenant = json!({"toolchains": ["rust"]});
        assert_eq!(named(&json!({}), &tenant), Some(vec!["rust".to_owned()]));
        assert_eq!(named(&json!({"toolchains": ["node"]}), &tenant), Some(vec!["node".to_owned()]));
        assert_eq!(named(&json!({"toolchains": []}), &tenant), Some(vec![]), "none of them, which is not all");
        assert_eq!((named(&json!({}), &json!(null)), named(&json!({}), &json!({"driver": null}))), (None, None));
        for elsewhere in [json!({"driver": "e2b"}), json!({"placement": "task"})] {
            assert_eq!(named(&elsewhere, &tenant), None, "{elsewhere}");
        }
    }

    #[test]
    fn the_default_driver_is_for_the_tools_that_it_takes() {
        let driver = |tool, spec: &Value, tenant: &Value| claimed(tool, spec, tenant).driver();
        let e2b = json!({"driver": "e2b"});
        assert_eq!(driver("bash", &json!({}), &json!(null)), Driver::WorkerContainer);
        assert_eq!(driver("bash", &json!({}), &e2b), Driver::E2b);
        assert_eq!(driver("git:push", &json!({}), &e2b), Driver::WorkerContainer);
        assert_eq!(driver("bash", &json!({"driver": "worker-container"}), &e2b), Driver::WorkerContainer);
        assert_eq!(driver("bash", &json!({"placement": "task"}), &e2b), Driver::WorkerContainer, "only it has placements");
        assert_eq!(driver("bash", &json!({"driver": "vercel-function"}), &e2b), Driver::VercelFunction, "which is refused, not replaced");
    }
}
