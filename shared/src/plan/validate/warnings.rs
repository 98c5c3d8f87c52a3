//! Oddities of a plan that passed every check: shown to its author, they stop nothing.

use crate::plan::{Plan, Step};

pub(super) fn find(plan: &Plan, steps: &[Step]) -> Vec<String> {
    let mut warnings = vec![];
    if plan.goal.is_empty() {
        warnings.push("the plan has no goal: the run will have no title".to_owned());
    }
    for step in steps.iter().filter(|step| step.resources.is_some()) {
        warnings.push(format!("`{}` sets `resources`; the driver worker-container enforces only `timeout_s`", step.name));
    }
    warnings
}
