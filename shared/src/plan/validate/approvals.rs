//! The approvals that a plan requires, and what it may do only if it says so.

use crate::auth::Role;
use crate::plan::Step;
use crate::problem::Fault;

pub(super) fn check(step: &Step, at: usize, risky: bool, faults: &mut Vec<Fault>) {
    if let Some(approval) = &step.approval {
        let pointer = |field: &str| format!("/steps/{at}/approval/{field}");
        if approval.role.is_some_and(|role| role < Role::Supervisor) {
            faults.push(Fault::new(pointer("role"), "must be supervisor or admin"));
        }
        if approval.count.is_some_and(|count| !(1..=10).contains(&count)) {
            faults.push(Fault::new(pointer("count"), "must be from 1 to 10"));
        }
        if approval.expires_s.is_some_and(|seconds| !(1..=366 * 86_400).contains(&seconds)) {
            faults.push(Fault::new(pointer("expires_s"), "must be from 1 to 31622400"));
        }
    }
    if step.tool == "gate:e2e_smoke" {
        if !risky {
            faults.push(Fault::new(format!("/steps/{at}/tool"), "can have any side effect: set \"risky\": true in the plan"));
        }
        if !step.secrets.is_empty() {
            faults.push(Fault::new(format!("/steps/{at}/secrets"), "gate:e2e_smoke cannot use secrets: set `inputs.stubs`"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::plan::validate::check;
    use crate::plan::validate::tests::pointers;

    #[test]
    fn approvals_are_within_bounds_and_a_smoke_test_is_risky() {
        let step = |more: Value| {
            let mut step = json!({"name": "a", "tool": "noop"});
            step.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            json!({"steps": [step]})
        };
        assert_eq!(pointers(&step(json!({"approval": {"role": "viewer", "count": 11, "expires_s": 0}}))).len(), 3);
        assert_eq!(pointers(&step(json!({"approval": {"people": 2}}))), ["/steps/0/approval"]);
        assert_eq!(pointers(&step(json!({"tool": "gate:e2e_smoke", "secrets": ["A"]}))), ["/steps/0/tool", "/steps/0/secrets"]);
        let mut risky = step(json!({"tool": "gate:e2e_smoke", "approval": {"count": 2}}));
        risky["risky"] = json!(true);
        assert!(check(&risky).is_ok());
    }
}
