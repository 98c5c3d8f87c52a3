//! Every check of a plan, in one pass that reports all it finds.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::fields::Fields;
use super::{Budget, OnFailure, Plan, PullRequest, Resources, Retry, Step, Workspace, expression, graph, limits, template, tools};
use crate::auth::Role;
use crate::problem::Fault;

const PLAN_FIELDS: &[&str] =
    &["goal", "priority", "deadline_s", "max_parallel", "workspace", "risky", "budget", "pull_request", "defaults", "metadata", "steps"];
const DEFAULT_FIELDS: &[&str] = &["retry", "timeout_s", "driver", "env", "on_failure"];
const STEP_FIELDS: &[&str] = &[
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
    "resources",
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
/// Where a step can be executed.
const DRIVERS: &[&str] = &["worker-container"];

pub(super) fn check(value: &Value) -> Result<Plan, Vec<Fault>> {
    let mut faults = vec![];
    let size = value.to_string().len();
    if size > limits::PLAN_BYTES {
        return Err(vec![Fault::new("", format!("the plan is {size} bytes, the limit is {}", limits::PLAN_BYTES))]);
    }
    let Some(plan) = Fields::of(value, "", &mut faults) else { return Err(faults) };
    plan.refuse_unknown(PLAN_FIELDS, &mut faults);
    let goal = plan.text("goal", &mut faults).unwrap_or_default();
    if goal.len() > 1000 {
        faults.push(Fault::new("/goal", "is longer than 1,000 bytes"));
    }
    let priority = plan.number("priority", -100, 100, &mut faults).unwrap_or(0);
    let deadline_s = plan.number::<i64>("deadline_s", 1, 366 * 86_400, &mut faults);
    let max_parallel = plan.number::<u32>("max_parallel", 1, 10_000, &mut faults);
    let workspace: Option<Workspace> = plan.typed("workspace", &mut faults);
    let risky = plan.typed::<bool>("risky", &mut faults).unwrap_or_default();
    let pull_request: Option<PullRequest> = plan.typed("pull_request", &mut faults);
    if let Some(given) = &pull_request {
        let is_part =
            |part: &str| !part.is_empty() && !part.starts_with('.') && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        if !given.repository.split_once('/').is_some_and(|(owner, name)| is_part(owner) && is_part(name)) {
            faults.push(Fault::new("/pull_request/repository", "must be owner/name"));
        }
        if !(40..=64).contains(&given.head_sha.len()) || !given.head_sha.chars().all(|c| c.is_ascii_hexdigit()) {
            faults.push(Fault::new("/pull_request/head_sha", "must be a full commit id"));
        }
    }
    let budget: Option<Budget> = plan.typed("budget", &mut faults);
    if budget.as_ref().and_then(|budget| budget.usd).is_some_and(|usd| !(0.0..=1e9).contains(&usd)) {
        faults.push(Fault::new("/budget/usd", "must be from 0 to 1000000000"));
    }
    let defaults = plan.get("defaults").and_then(|value| Fields::of(value, "/defaults", &mut faults));
    if let Some(defaults) = &defaults {
        defaults.refuse_unknown(DEFAULT_FIELDS, &mut faults);
    }
    let listed = match plan.get("steps") {
        Some(Value::Array(steps)) if !steps.is_empty() => steps.as_slice(),
        Some(Value::Array(_)) | None => {
            faults.push(Fault::new("/steps", "add at least one step"));
            &[]
        }
        Some(_) => {
            faults.push(Fault::new("/steps", "must be a list"));
            &[]
        }
    };
    if listed.len() > limits::STEPS {
        faults.push(Fault::new("/steps", format!("has {} steps, the limit is {}", listed.len(), limits::STEPS)));
        return Err(faults);
    }
    let mut steps: Vec<Step> = vec![];
    for (at, value) in listed.iter().enumerate() {
        // A step that could not be read at all still has a place, so that pointers stay right.
        steps.push(read_step(value, at, defaults.as_ref(), &mut faults));
    }
    let needs = resolve_needs(&mut steps, listed, &mut faults);
    let mut warnings = vec![];
    let order = match graph::sort(&needs) {
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
    };
    for (at, step) in steps.iter().enumerate() {
        check_rights(step, at, risky, &mut faults);
        check_expressions(step, at, &steps, &needs, &mut faults);
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    if goal.is_empty() {
        warnings.push("the plan has no goal: the run will have no title".to_owned());
    }
    for step in steps.iter().filter(|step| step.resources.is_some()) {
        warnings.push(format!("`{}` sets `resources`; the driver worker-container enforces only `timeout_s`", step.name));
    }
    let sorted = order.iter().map(|at| steps[*at].clone()).collect();
    let deadline_s = deadline_s.and_then(|seconds| u64::try_from(seconds).ok());
    Ok(Plan { goal, priority, deadline_s, max_parallel, workspace, pull_request, budget, risky, steps: sorted, positions: order, warnings })
}

fn read_step(value: &Value, at: usize, defaults: Option<&Fields<'_>>, faults: &mut Vec<Fault>) -> Step {
    let empty = Value::Object(Map::new());
    let pointer = format!("/steps/{at}");
    let fields =
        Fields::of(value, &pointer, faults).or_else(|| Fields::of(&empty, &pointer, &mut vec![])).expect("an empty object has fields");
    fields.refuse_unknown(STEP_FIELDS, faults);
    let name = fields.text("name", faults).unwrap_or_default();
    let is_letter = |c: char| c.is_ascii_alphanumeric() || " _.-".contains(c);
    if name.is_empty() || name.len() > 80 || !name.chars().all(is_letter) {
        faults.push(Fault::new(fields.at("name"), "must be 1 to 80 letters, digits, spaces, `_`, `.` or `-`"));
    }
    let tool = fields.text("tool", faults).unwrap_or_default();
    if !tools::is_known(&tool) {
        faults.push(Fault::new(fields.at("tool"), format!("unknown tool `{tool}`; known: {}", tools::TOOLS.join(", "))));
    }
    let mut inputs = fields.object("inputs", faults).cloned().unwrap_or_default();
    let inline_needs = inputs.remove("_dependsOn");
    if serde_json::to_string(&inputs).map_or(0, |text| text.len()) > limits::STEP_INPUT_BYTES {
        faults.push(Fault::new(fields.at("inputs"), format!("is larger than {} bytes; use an artifact", limits::STEP_INPUT_BYTES)));
    }
    let mut needs = fields.texts("needs", faults).or_else(|| fields.texts("depends_on", faults)).unwrap_or_default();
    needs.extend(inline_needs.and_then(|value| serde_json::from_value::<Vec<String>>(value).ok()).unwrap_or_default());

    let retry = merge_retry(fields.typed("retry", faults), defaults.and_then(|defaults| defaults.typed("retry", faults)));
    if retry.max_attempts.is_some_and(|n| !(1..=100).contains(&n)) {
        faults.push(Fault::new(fields.at("retry/max_attempts"), "must be from 1 to 100"));
    }
    if retry.factor.is_some_and(|n| !(1.0..=100.0).contains(&n)) || retry.jitter.is_some_and(|n| !(0.0..=1.0).contains(&n)) {
        faults.push(Fault::new(fields.at("retry"), "factor must be from 1 to 100, jitter from 0 to 1"));
    }
    let mut env = defaults.and_then(|defaults| defaults.object("env", faults)).cloned().unwrap_or_default();
    env.extend(fields.object("env", faults).cloned().unwrap_or_default());
    for (key, _) in env.iter().filter(|(_, value)| !value.is_string()) {
        faults.push(Fault::new(fields.at(&format!("env/{key}")), "must be text"));
    }
    let driver = fields.text("driver", faults).or_else(|| defaults.and_then(|defaults| defaults.text("driver", faults)));
    if let Some(driver) = driver.as_ref().filter(|driver| !DRIVERS.contains(&driver.as_str())) {
        faults.push(Fault::new(fields.at("driver"), format!("unknown driver `{driver}`; known: {}", DRIVERS.join(", "))));
    }
    let concurrency_key = fields.text("concurrency_key", faults);
    if concurrency_key.as_ref().is_some_and(|key| key.contains("${{")) {
        faults.push(Fault::new(fields.at("concurrency_key"), "cannot contain `${{ }}`: the key is needed before the run starts"));
    }
    let timeout = |from: &Fields<'_>, faults: &mut Vec<Fault>| from.number::<i64>("timeout_s", 1, 86_400, faults);
    let timeout_s = timeout(&fields, faults).or_else(|| defaults.and_then(|defaults| timeout(defaults, faults)));
    Step {
        name,
        tool,
        needs,
        inputs,
        retry,
        driver,
        env,
        r#if: fields.text("if", faults),
        for_each: fields.text("for_each", faults),
        timeout_s: timeout_s.and_then(|seconds| u64::try_from(seconds).ok()),
        on_failure: fields
            .typed::<OnFailure>("on_failure", faults)
            .or_else(|| defaults.and_then(|defaults| defaults.typed("on_failure", faults)))
            .unwrap_or_default(),
        resources: fields.typed::<Resources>("resources", faults),
        secrets: fields.texts("secrets", faults).unwrap_or_default(),
        approval: fields.typed("approval", faults),
        concurrency_key,
        concurrency_limit: fields.number("concurrency_limit", 1, 10_000, faults),
        idempotency_key: fields.text("idempotency_key", faults),
    }
}

/// What a plan asks of people, and what it may not do unless it says so.
fn check_rights(step: &Step, at: usize, risky: bool, faults: &mut Vec<Fault>) {
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
            faults.push(Fault::new(format!("/steps/{at}/tool"), "starts the product and may do anything: set \"risky\": true in the plan"));
        }
        if !step.secrets.is_empty() {
            faults.push(Fault::new(format!("/steps/{at}/secrets"), "gate:e2e_smoke cannot use secrets: set `inputs.stubs`"));
        }
    }
}

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

/// Names to indexes; without any `needs` in the plan, each step needs the one before it.
fn resolve_needs(steps: &mut [Step], listed: &[Value], faults: &mut Vec<Fault>) -> Vec<Vec<usize>> {
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

fn check_expressions(step: &Step, at: usize, steps: &[Step], needs: &[Vec<usize>], faults: &mut Vec<Fault>) {
    let above = graph::ancestors(needs, at);
    let mut check = |pointer: String, source: &str| {
        if let Err(error) = expression::check(source) {
            faults.push(Fault::new(pointer.clone(), error.to_string()));
        }
        for name in expression::references(source) {
            if !above.iter().any(|one| steps[*one].name == name) {
                faults.push(Fault::new(pointer.clone(), format!("refers to step `{name}`, which is not in `needs`")));
            }
        }
    };
    for (key, source) in [("if", &step.r#if), ("for_each", &step.for_each)] {
        if let Some(source) = source {
            check(format!("/steps/{at}/{key}"), source);
        }
    }
    if let Some(key) = &step.idempotency_key {
        let key = Value::String(key.clone());
        template::visit(&key, &format!("/steps/{at}/idempotency_key"), &mut |pointer, source| check(pointer.to_owned(), source));
    }
    for (key, value) in [("inputs", &step.inputs), ("env", &step.env)] {
        for (name, value) in value {
            template::visit(value, &format!("/steps/{at}/{key}/{name}"), &mut |pointer, source| check(pointer.to_owned(), source));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::check;

    fn pointers(plan: &Value) -> Vec<String> {
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
        assert_eq!(names(&schema), wanted(super::PLAN_FIELDS));
        assert_eq!(names(&schema["$defs"]["Step"]), wanted(super::STEP_FIELDS));
        assert_eq!(names(&schema["properties"]["defaults"]), wanted(super::DEFAULT_FIELDS));
    }

    #[test]
    fn what_could_not_be_honoured_is_refused() {
        let step = |key: &str, value: &str| json!({"steps": [{"name": "a", "tool": "noop", key: value}]});
        assert_eq!(pointers(&step("driver", "e2b")), ["/steps/0/driver"]);
        assert_eq!(pointers(&step("concurrency_key", "repo-${{ run.id }}")), ["/steps/0/concurrency_key"]);
        assert_eq!(pointers(&step("idempotency_key", "k-${{ steps.b.outputs.x }}")), ["/steps/0/idempotency_key"]);
    }

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

    #[test]
    fn an_expression_names_only_what_the_step_needs() {
        let plan = json!({"steps": [{"name": "a", "tool": "noop", "needs": []}, {"name": "b", "tool": "noop", "if": "steps.a.outputs.x"}]});
        assert_eq!(pointers(&plan), ["/steps/1/if"]);
    }
}
