//! The expressions of a step: each is CEL, and names no step but those that the step needs, directly or not.

use std::collections::BTreeSet;

use crate::plan::references::references;
use crate::plan::{Step, graph};
use crate::problem::Fault;

/// Returns the steps that the expressions name.
pub(super) fn check(step: &Step, at: usize, steps: &[Step], needs: &[Vec<usize>], faults: &mut Vec<Fault>) -> BTreeSet<String> {
    let above = graph::ancestors(needs, at);
    let mut found = BTreeSet::new();
    step.visit_expressions(&format!("/steps/{at}"), &mut |pointer, source| match references(source) {
        Err(error) => faults.push(Fault::new(pointer, error.to_string())),
        Ok(names) => {
            for name in names.iter().filter(|name| !above.iter().any(|one| steps[*one].name == **name)) {
                faults.push(Fault::new(pointer, format!("refers to step `{name}`, which is not in `needs`")));
            }
            found.extend(names);
        }
    });
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::plan::validate::tests::pointers;

    #[test]
    fn an_expression_names_only_what_the_step_needs() {
        let plan = json!({"steps": [{"name": "a", "tool": "noop", "needs": []}, {"name": "b", "tool": "noop", "if": "steps.a.outputs.x"}]});
        assert_eq!(pointers(&plan), ["/steps/1/if"]);
    }

    #[test]
    fn text_that_mentions_a_step_refers_to_none() {
        let step = json!({"name": "b", "tool": "noop", "needs": [], "if": "run.goal != 'steps.a'", "for_each": "[{'a': 1}].map(steps, steps.a)",
            "inputs": {"text": "${{ 'steps[\"a\"]' }}"}});
        let plan = crate::plan::from_json(&json!({"steps": [{"name": "a", "tool": "noop", "needs": []}, step]})).expect("a plan");
        assert_eq!(plan.steps[1].spec()["refs"], json!(null));
    }

    #[test]
    fn what_a_step_refers_to_is_kept_for_its_worker() {
        let step = json!({"name": "c", "tool": "noop", "if": "steps.a.outputs.x", "inputs": {"text": "${{ steps['b'].outputs.x }}"}});
        let others = ["b", "a"].map(|name| json!({"name": name, "tool": "noop"}));
        let plan = crate::plan::from_json(&json!({"steps": [others[0], others[1], step]})).expect("a plan");
        assert_eq!(plan.steps[2].spec()["refs"], json!(["a", "b"]));
    }
}
