//! What each step needs: from names to places in the list, and from those to an order in which the steps can run. The graph itself is in
//! `plan/graph`.

use std::collections::HashMap;

use serde_json::Value;

use crate::plan::{Step, graph, limits};
use crate::problem::Fault;

/// Names to indexes; without any `needs` in the plan, each step needs the one before it.
pub(super) fn resolve(steps: &mut [Step], listed: &[Value], faults: &mut Vec<Fault>) -> Vec<Vec<usize>> {
    let mut places: HashMap<String, usize> = HashMap::new();
    for (at, step) in steps.iter().enumerate().filter(|(_, step)| !step.name.is_empty()) {
        if let Some(first) = places.insert(step.name.clone(), at) {
            faults.push(Fault::new(format!("/steps/{at}/name"), format!("duplicate step name `{}` (also step {first})", step.name)));
        }
    }
    let says_needs =
        |value: &Value| value.get("needs").is_some() || value.get("depends_on").is_some() || value.pointer("/inputs/_dependsOn").is_some();
    if !listed.iter().any(says_needs) {
        let names: Vec<String> = steps.iter().map(|step| step.name.clone()).collect();
        for (step, before) in steps.iter_mut().skip(1).zip(names) {
            step.needs = vec![before];
        }
        return (0..steps.len()).map(|at| at.checked_sub(1).into_iter().collect()).collect();
    }
    let mut needs = vec![];
    for (at, step) in steps.iter().enumerate() {
        let mut own = vec![];
        for (n, need) in step.needs.iter().enumerate() {
            match places.get(need) {
                Some(place) => own.push(*place),
                None => faults.push(Fault::new(format!("/steps/{at}/needs/{n}"), format!("unknown step `{need}`"))),
            }
        }
        needs.push(own);
    }
    needs
}

/// The places of the steps in topological order; none when there is no such order.
pub(super) fn sort(steps: &[Step], needs: &[Vec<usize>], faults: &mut Vec<Fault>) -> Vec<usize> {
    match graph::sort(needs) {
        Ok((order, depth)) => {
            if depth > limits::DEPTH {
                faults.push(Fault::new("/steps", format!("is {depth} steps deep, the limit is {}", limits::DEPTH)));
            }
            order
        }
        Err(cycle) => {
            let names: Vec<&str> = cycle.iter().map(|step| steps[*step].name.as_str()).collect();
            faults.push(Fault::new(format!("/steps/{}/needs", cycle[0]), format!("dependency cycle: {}", names.join(" → "))));
            vec![]
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::plan::validate::check;

    #[test]
    fn without_needs_the_steps_run_in_order() {
        let plan = check(&json!({"steps": [{"name": "a", "tool": "noop"}, {"name": "b", "tool": "noop"}]})).expect("a good plan");
        assert_eq!(plan.steps[1].needs, ["a"]);
    }

    #[test]
    fn a_cycle_is_refused() {
        let plan = json!({"steps": [{"name": "a", "tool": "noop", "needs": ["b"]}, {"name": "b", "tool": "noop", "needs": ["a"]}]});
        let faults = check(&plan).expect_err("a cycle");
        assert!(faults[0].detail.contains("a → b → a"), "{faults:?}");
    }
}
