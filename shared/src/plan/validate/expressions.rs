//! The expressions of a plan: each is CEL, and names no step but those that its step needs, directly or not.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::plan::expression::Invalid;
use crate::plan::references::references;
use crate::plan::{Step, graph, limits};
use crate::problem::Fault;

/// What each expression of a plan names, by its text: equal ones are read once.
type Named = HashMap<String, Result<BTreeSet<String>, Invalid>>;

/// Returns the steps that the expressions of each step name. When there are too many expressions, none is read.
pub(super) fn check(steps: &[Step], needs: &[Vec<usize>], faults: &mut Vec<Fault>) -> Vec<BTreeSet<String>> {
    let sources = distinct(steps);
    let bytes: usize = sources.iter().map(|source| source.len().max(limits::LEAST_EXPRESSION_BYTES)).sum();
    if bytes > limits::PLAN_EXPRESSION_BYTES {
        let detail = format!(
            "the expressions have {bytes} bytes, the limit is {}; equal ones count once, each {} at least: shorten them, or split the plan",
            limits::PLAN_EXPRESSION_BYTES,
            limits::LEAST_EXPRESSION_BYTES
        );
        faults.push(Fault::new("/steps", detail));
        return vec![];
    }
    let named: Named = sources
        .into_iter()
        .map(|source| {
            let names = references(&source);
            (source, names)
        })
        .collect();
    steps.iter().enumerate().map(|(at, step)| check_step(step, at, &named, steps, needs, faults)).collect()
}

fn distinct(steps: &[Step]) -> HashSet<String> {
    let mut found = HashSet::new();
    for step in steps {
        step.visit_expressions("", &mut |_, source| {
            if !found.contains(source) {
                found.insert(source.to_owned());
            }
        });
    }
    found
}

fn check_step(step: &Step, at: usize, named: &Named, steps: &[Step], needs: &[Vec<usize>], faults: &mut Vec<Fault>) -> BTreeSet<String> {
    let above = graph::ancestors(needs, at);
    let mut found = BTreeSet::new();
    step.visit_expressions(&format!("/steps/{at}"), &mut |pointer, source| match &named[source] {
        Err(error) => faults.push(Fault::new(pointer, error.to_string())),
        Ok(names) => {
            for name in names.iter().filter(|name| !steps.iter().zip(&above).any(|(one, is_above)| *is_above && one.name == **name)) {
                faults.push(Fault::new(pointer, format!("refers to step `{name}`, which is not in `needs`")));
            }
            found.extend(names.iter().cloned());
        }
    });
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::plan::validate::check;
    use crate::plan::validate::tests::pointers;

    #[test]
    fn an_expression_names_only_what_the_step_needs() {
        let plan = json!({"steps": [{"name": "a", "tool": "noop", "needs": []}, {"name": "b", "tool": "noop", "if": "steps.a.outputs.x"}]});
        assert_eq!(pointers(&plan), ["/steps/1/if"]);
    }

    #[test]
    fn the_expressions_of_a_plan_have_a_limit_together_and_equal_ones_count_once() {
        let texts = |sources: &[String]| json!({"steps": [{"name": "a", "tool": "noop", "inputs": {"texts": sources}}]});
        let text = |n: usize, bytes: usize| format!("${{{{ '{n:04}{}' }}}}", "x".repeat(bytes - 6));
        let full: Vec<String> = (0..32).map(|n| text(n, 1024)).collect();
        assert!(check(&texts(&full)).is_ok());
        assert!(check(&texts(&vec![full.clone(); 7].concat())).is_ok(), "equal ones are read once");
        let mut more = full;
        more[31] = text(31, 1025);
        let faults = check(&texts(&more)).expect_err("a byte too much");
        assert_eq!((faults.len(), faults[0].pointer.as_str()), (1, "/steps"));
        assert!(faults[0].detail.contains("32769 bytes, the limit is 32768") && faults[0].detail.contains("split the plan"), "{faults:?}");

        let short = |count: usize| texts(&(0..count).map(|n| format!("${{{{ {n} }}}}")).collect::<Vec<_>>());
        assert!(check(&short(1024)).is_ok());
        assert_eq!(pointers(&short(1025)), ["/steps"], "the shortest count, too");

        // In whatever fields they are; what is wrong in them is not looked for.
        let step = |n: usize| {
            let bad = |fill: &str| format!("bad {n:04} {}", fill.repeat(1000));
            json!({"name": n.to_string(), "tool": "noop", "needs": [], "if": bad("x"), "for_each": bad("y")})
        };
        assert_eq!(pointers(&json!({"steps": (0..400).map(step).collect::<Vec<_>>()})), ["/steps"]);
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
