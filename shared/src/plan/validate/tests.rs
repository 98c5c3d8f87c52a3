//! What concerns a plan as a whole. The passes have tests of their own, which find faults with `pointers`.

use serde_json::{Value, json};

use super::check;
use super::plan_fields::{DEFAULT_FIELDS, PLAN_FIELDS};
use super::step_fields::STEP_FIELDS;

/// Where the faults of a plan are.
pub(super) fn pointers(plan: &Value) -> Vec<String> {
    check(plan).expect_err("a bad plan").into_iter().map(|fault| fault.pointer).collect()
}

#[test]
fn all_problems_are_reported_at_once() {
    let plan = json!({"goal": 1, "colour": "red", "steps": [
        {"name": "a", "tool": "noop", "needs": ["zz"]}, {"name": "a", "tool": "rm"}, {"tool": "noop", "if": "1 +"}]});
    let found = pointers(&plan);
    for pointer in ["/colour", "/goal", "/steps/0/needs/0", "/steps/1/name", "/steps/1/tool", "/steps/2/name", "/steps/2/if"] {
        assert!(found.iter().any(|one| one == pointer), "{pointer} is not in {found:?}");
    }
}

#[test]
fn a_plan_is_as_large_as_its_limits_and_no_larger() {
    let steps = |n: usize, needs: Option<Value>| {
        let step = |n: usize| {
            let mut step = json!({"name": n.to_string(), "tool": "noop"});
            step.as_object_mut().expect("an object").extend(needs.clone().map(|needs| ("needs".to_owned(), needs)));
            step
        };
        json!({"goal": "g", "steps": (0..n).map(step).collect::<Vec<_>>()})
    };
    let wide = |n| steps(n, Some(json!([])));
    // Each step needs the one before it.
    let deep = |n| steps(n, None);
    let long = |bytes: usize| {
        let mut plan = json!({"goal": "g", "metadata": {"x": ""}, "steps": [{"name": "a", "tool": "noop"}]});
        plan["metadata"]["x"] = "x".repeat(bytes - plan.to_string().len()).into();
        plan
    };
    for good in [wide(1000), deep(200), long(1 << 20)] {
        assert!(check(&good).is_ok(), "{:?}", check(&good).err());
    }
    assert_eq!(pointers(&wide(1001)), ["/steps"]);
    assert_eq!(pointers(&deep(201)), ["/steps"]);
    assert_eq!(pointers(&long((1 << 20) + 1)), [""]);
}

#[test]
fn the_schema_names_the_fields_that_are_taken() {
    let schema = crate::plan::schema();
    let names = |object: &Value| -> std::collections::BTreeSet<String> {
        object["properties"].as_object().expect("properties").keys().cloned().collect()
    };
    let wanted = |fields: &[&str]| fields.iter().map(|field| (*field).to_owned()).collect();
    assert_eq!(names(&schema), wanted(PLAN_FIELDS));
    assert_eq!(names(&schema["$defs"]["Step"]), wanted(STEP_FIELDS));
    assert_eq!(names(&schema["properties"]["defaults"]), wanted(DEFAULT_FIELDS));
}
