//! Oddities of a plan that passed every check: shown to its author, they stop nothing.

use crate::plan::Plan;

pub(super) fn find(plan: &Plan) -> Vec<String> {
    let mut warnings = vec![];
    if plan.goal.is_empty() {
        warnings.push("the plan has no goal: the run will have no title".to_owned());
    }
    warnings
}
