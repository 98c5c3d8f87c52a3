//! The expressions of a step: each is CEL, and names no step but those that the step needs, directly or not.

use crate::plan::{Step, expression, graph};
use crate::problem::Fault;

pub(super) fn check(step: &Step, at: usize, steps: &[Step], needs: &[Vec<usize>], faults: &mut Vec<Fault>) {
    let above = graph::ancestors(needs, at);
    step.visit_expressions(&format!("/steps/{at}"), &mut |pointer, source| {
        if let Err(error) = expression::check(source) {
            faults.push(Fault::new(pointer, error.to_string()));
        }
        for name in expression::references(source) {
            if !above.iter().any(|one| steps[*one].name == name) {
                faults.push(Fault::new(pointer, format!("refers to step `{name}`, which is not in `needs`")));
            }
        }
    });
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
}
