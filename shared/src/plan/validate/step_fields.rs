//! The fields of one step: all are read first, with the plan's defaults applied, then what was read is checked. What a step says of other
//! steps is not checked here: see `needs` and `expressions`.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::drivers::Driver;
use crate::plan::fields::Fields;
use crate::plan::{OnFailure, Retry, Step, limits, pointer_to, tools};
use crate::problem::Fault;

pub(super) const STEP_FIELDS: &[&str] = &[
    "name",
    "tool",
    "needs",
    "depends_on",
    "if",
    "for_each",
    "inputs",
    "retry",
    "timeout_s",
    "on_failure",
    "driver",
    "min_isolation",
    "resources",
    "image",
    "toolchains",
    "placement",
    "env",
    "secrets",
    "approval",
    "concurrency_key",
    "concurrency_limit",
    "idempotency_key",
    "tools_allowed",
    "env_allowed",
    "secrets_scope",
];

/// The step at a place of the list. One that could not be read at all still has its place, so that pointers stay right.
pub(super) fn read(value: &Value, at: usize, defaults: Option<&Fields<'_>>, faults: &mut Vec<Fault>) -> Step {
    let empty = Value::Object(Map::new());
    let pointer = format!("/steps/{at}");
    let fields =
        Fields::of(value, &pointer, faults).or_else(|| Fields::of(&empty, &pointer, &mut vec![])).expect("an empty object has fields");
    fields.refuse_unknown(STEP_FIELDS, faults);
    let step = read_fields(&fields, defaults, faults);
    check(&step, &pointer, &fields, faults);
    step
}

fn read_fields(fields: &Fields<'_>, defaults: Option<&Fields<'_>>, faults: &mut Vec<Fault>) -> Step {
    let name = fields.text("name", faults).unwrap_or_default();
    let tool = fields.text("tool", faults).unwrap_or_default();
    let driver = driver(&tool, fields, defaults, faults);
    let mut inputs = fields.object("inputs", faults).cloned().unwrap_or_default();
    let inline_needs = inputs.remove("_dependsOn");
    let mut needs = fields.texts("needs", faults).or_else(|| fields.texts("depends_on", faults)).unwrap_or_default();
    needs.extend(inline_needs.and_then(|value| serde_json::from_value::<Vec<String>>(value).ok()).unwrap_or_default());
    let retry = merge_retry(fields.typed("retry", faults), defaults.and_then(|defaults| defaults.typed("retry", faults)));
    let mut env = defaults.and_then(|defaults| defaults.object("env", faults)).cloned().unwrap_or_default();
    env.extend(fields.object("env", faults).cloned().unwrap_or_default());
    let timeout = |from: &Fields<'_>, faults: &mut Vec<Fault>| from.number::<i64>("timeout_s", 1, 86_400, faults);
    let concurrency_key = fields.text("concurrency_key", faults);
    let timeout_s = timeout(fields, faults).or_else(|| defaults.and_then(|defaults| timeout(defaults, faults)));
    Step {
        name,
        tool,
        driver,
        needs,
        inputs,
        retry,
        env,
        r#if: fields.text("if", faults),
        for_each: fields.text("for_each", faults),
        timeout_s: timeout_s.and_then(|seconds| u64::try_from(seconds).ok()),
        on_failure: fields
            .typed::<OnFailure>("on_failure", faults)
            .or_else(|| defaults.and_then(|defaults| defaults.typed("on_failure", faults)))
            .unwrap_or_default(),
        min_isolation: fields.typed("min_isolation", faults),
        resources: fields.typed("resources", faults),
        image: fields.typed("image", faults),
        toolchains: fields.typed("toolchains", faults),
        placement: fields.typed("placement", faults),
        secrets: fields.texts("secrets", faults).unwrap_or_default(),
        approval: fields.typed("approval", faults),
        concurrency_key,
        concurrency_limit: fields.number("concurrency_limit", 1, 10_000, faults),
        idempotency_key: fields.text("idempotency_key", faults),
        references: BTreeSet::new(),
    }
}

/// The step's own, or the plan's if that takes the tool: a plan may name a driver for its programs and have steps that wait for people, too.
fn driver(tool: &str, fields: &Fields<'_>, defaults: Option<&Fields<'_>>, faults: &mut Vec<Fault>) -> Option<Driver> {
    let default = defaults.and_then(|defaults| defaults.typed("driver", faults)).filter(|driver: &Driver| driver.takes(tool));
    fields.typed("driver", faults).or(default)
}

/// The step's own settings, and the plan's for what it does not set.
fn merge_retry(own: Option<Retry>, default: Option<Retry>) -> Retry {
    let (own, default) = (own.unwrap_or_default(), default.unwrap_or_default());
    Retry {
        max_attempts: own.max_attempts.or(default.max_attempts),
        initial_ms: own.initial_ms.or(default.initial_ms),
        factor: own.factor.or(default.factor),
        max_ms: own.max_ms.or(default.max_ms),
        jitter: own.jitter.or(default.jitter),
    }
}

fn check(step: &Step, pointer: &str, fields: &Fields<'_>, faults: &mut Vec<Fault>) {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || " _.-".contains(c);
    if step.name.is_empty() || step.name.len() > 80 || !step.name.chars().all(is_allowed) {
        faults.push(Fault::new(fields.at("name"), "must be 1 to 80 letters, digits, spaces, `_`, `.` or `-`"));
    }
    if !tools::is_known(&step.tool) {
        faults.push(Fault::new(fields.at("tool"), format!("unknown tool `{}`; known: {}", step.tool, tools::TOOLS.join(", "))));
    } else {
        faults.extend(step.request().faults(pointer));
    }
    if serde_json::to_string(&step.inputs).map_or(0, |text| text.len()) > limits::STEP_INPUT_BYTES {
        faults.push(Fault::new(fields.at("inputs"), format!("is larger than {} bytes; use an artifact", limits::STEP_INPUT_BYTES)));
    }
    let retry = &step.retry;
    if retry.max_attempts.is_some_and(|n| !(1..=100).contains(&n)) {
        faults.push(Fault::new(pointer_to(&fields.at("retry"), "max_attempts"), "must be from 1 to 100"));
    }
    if retry.factor.is_some_and(|n| !(1.0..=100.0).contains(&n)) || retry.jitter.is_some_and(|n| !(0.0..=1.0).contains(&n)) {
        faults.push(Fault::new(fields.at("retry"), "factor must be from 1 to 100, jitter from 0 to 1"));
    }
    for (key, _) in step.env.iter().filter(|(_, value)| !value.is_string()) {
        faults.push(Fault::new(pointer_to(&fields.at("env"), key), "must be a string"));
    }
    if step.concurrency_key.as_ref().is_some_and(|key| key.len() > limits::CONCURRENCY_KEY_BYTES) {
        faults.push(Fault::new(fields.at("concurrency_key"), format!("is longer than {} bytes", limits::CONCURRENCY_KEY_BYTES)));
    }
    if step.concurrency_key.as_ref().is_some_and(|key| key.contains("${{")) {
        faults.push(Fault::new(fields.at("concurrency_key"), "cannot contain `${{ }}`: the key is needed before the run starts"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::drivers::Driver;
    use crate::plan::validate::check;
    use crate::plan::validate::tests::pointers;

    #[test]
    fn what_could_not_be_honoured_is_refused() {
        let step = |key: &str, value: &str| json!({"steps": [{"name": "a", "tool": "noop", key: value}]});
        assert_eq!(pointers(&step("concurrency_key", "repo-${{ run.id }}")), ["/steps/0/concurrency_key"]);
        assert_eq!(pointers(&step("idempotency_key", "k-${{ steps.b.outputs.x }}")), ["/steps/0/idempotency_key"]);
        assert_eq!(pointers(&step("concurrency_key", &"k".repeat(201))), ["/steps/0/concurrency_key"], "no index takes any length");
        assert!(check(&step("concurrency_key", &"k".repeat(200))).is_ok());
    }

    #[test]
    fn every_wrong_value_of_where_a_step_runs_is_a_fault_of_its_field() {
        let step = |key: &str, value: serde_json::Value| pointers(&json!({"steps": [{"name": "a", "tool": "bash", key: value}]}));
        for (key, wrong) in [
            (
                "driver",
                vec![json!("lambda"), json!("E2B"), json!(""), json!(1), json!(["e2b"]), json!({"name": "e2b"}), json!("vercel-function")],
            ),
            ("min_isolation", vec![json!("L0"), json!("l2"), json!(2), json!(["L2"]), json!(true), json!("L22")]),
            (
                "image",
                vec![
                    json!(""),
                    json!("-x"),
                    json!("a b"),
                    json!("../x"),
                    json!(1),
                    json!("a".repeat(256)),
                    json!("${{ run.id }}"),
                    json!("ok"),
                ],
            ),
            ("toolchains", vec![json!("rust"), json!([1]), json!(["Rust"]), json!(["../x"]), json!({}), json!(vec!["a"; 17])]),
            ("placement", vec![json!("host"), json!(""), json!(true), json!(["task"])]),
            ("resources", vec![json!(1), json!([]), json!({"gpu": 1}), json!({"cpu_s": "1"}), json!({"network": "some"})]),
        ] {
            for value in wrong {
                assert_eq!(step(key, value.clone()), [format!("/steps/0/{key}")], "{value}");
            }
        }
        for (key, good) in
            [("driver", "e2b"), ("driver", "modal"), ("driver", "worker-container"), ("min_isolation", "L4"), ("placement", "task")]
        {
            assert!(check(&json!({"steps": [{"name": "a", "tool": "bash", key: good}]})).is_ok(), "{key} {good}");
        }
        let null = json!({"steps": [{"name": "a", "tool": "bash", "driver": null, "image": null, "toolchains": null, "placement": null, "min_isolation": null}]});
        assert!(check(&null).is_ok(), "null is as if it were not written");
    }

    #[test]
    fn the_plans_driver_is_for_the_steps_that_it_takes() {
        let plan = |driver: &str, own: serde_json::Value| json!({"defaults": {"driver": driver}, "steps": [{"name": "a", "tool": "bash"}, {"name": "b", "tool": "manual:ok"}, own]});
        let checked = check(&plan("e2b", json!({"name": "c", "tool": "bash", "image": "base"}))).expect("a good plan");
        assert_eq!(checked.steps.iter().map(|step| step.driver).collect::<Vec<_>>(), [Some(Driver::E2b), None, Some(Driver::E2b)]);
        assert_eq!(checked.rows()[2]["spec"], json!({"driver": "e2b", "image": "base"}));
        assert_eq!(pointers(&plan("e2b", json!({"name": "c", "tool": "manual:ok", "driver": "e2b"}))), ["/steps/2/driver"]);
        assert_eq!(pointers(&plan("e2b", json!({"name": "c", "tool": "noop", "image": "base"}))), ["/steps/2/image"]);
    }

    #[test]
    fn a_fault_below_a_field_is_pointed_to_by_rfc_6901() {
        let step = |key: &str, value: serde_json::Value| json!({"steps": [{"name": "a", "tool": "noop", key: value}]});
        assert_eq!(pointers(&step("retry", json!({"max_attempts": 0}))), ["/steps/0/retry/max_attempts"]);
        assert_eq!(pointers(&step("resources", json!({"cpu_s": 0, "network": "all"}))), ["/steps/0/resources/cpu_s"]);
        assert_eq!(pointers(&step("resources", json!({"network": "some"}))), ["/steps/0/resources"]);
        assert_eq!(pointers(&step("env", json!({"A/B": 1}))), ["/steps/0/env/A~1B"]);
        assert_eq!(pointers(&step("inputs", json!({"a/b": {"c~d": "${{ 1 + }}"}}))), ["/steps/0/inputs/a~1b/c~0d"]);
    }
}
