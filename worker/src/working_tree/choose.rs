//! Which gates judge, in which order and with which inputs. Judges nothing: see `judge`.

use nofx_shared::plan::{Plan, Step};
use serde_json::{Map, Value};

use super::options::{GateOptions, Refused};
use crate::gates::{E2eSmoke, Gate, OnTheSpot};
use crate::handlers::{self, Erased};

/// A gate with its inputs.
pub(super) struct Chosen {
    pub name: String,
    pub handler: &'static dyn Erased,
    pub gate: &'static dyn OnTheSpot,
    pub inputs: Map<String, Value>,
    pub env: Map<String, Value>,
    pub secrets: Vec<String>,
    pub timeout_s: u64,
    /// It judges only if it finds something to judge, when its turn comes: an earlier gate may write the report that it reads.
    pub if_it_fits: bool,
}

/// The gates that the options name, in their order; without names those of the plan, and without a plan all in the order of the list.
pub(super) fn choose(options: &GateOptions) -> Result<Vec<Chosen>, Refused> {
    let steps = options.plan.as_ref().map(steps_of_gates).unwrap_or_default();
    let mut chosen: Vec<Chosen> = vec![];
    let mut add = |one: Chosen| {
        if chosen.iter().all(|other| other.name != one.name) {
            chosen.push(one);
        }
    };
    for name in &options.names {
        let named: Vec<&&Step> = steps.iter().filter(|step| step.name == *name || is_gate(&step.tool, name)).collect();
        for step in &named {
            add(of_step(step)?);
        }
        if named.is_empty() {
            add(of_tool(name, false)?);
        }
    }
    if options.names.is_empty() {
        match &options.plan {
            Some(_) => steps.iter().filter(|step| step.tool != E2eSmoke::TOOL).try_for_each(|step| of_step(step).map(&mut add))?,
            None => handlers::gates().try_for_each(|(handler, _)| of_tool(handler.tool(), true).map(&mut add))?,
        }
    }
    if options.risky {
        steps.iter().filter(|step| step.tool == E2eSmoke::TOOL).try_for_each(|step| of_step(step).map(&mut add))?;
    }
    let is_risky = |one: &Chosen| one.handler.tool() == E2eSmoke::TOOL;
    chosen.retain(|one| !(is_risky(one) && one.if_it_fits));
    match chosen.iter().any(is_risky) {
        true if !options.risky => Err(Refused(format!("{} starts the product: add --risky to allow it", E2eSmoke::TOOL))),
        false if options.risky => Err(Refused(format!("no command for {}; add a step for this gate to the plan", E2eSmoke::TOOL))),
        _ => Ok(with_base(chosen, options.base.as_deref())),
    }
}

fn steps_of_gates(plan: &Plan) -> Vec<&Step> {
    plan.steps.iter().filter(|step| handlers::find(&step.tool).is_some_and(|handler| handler.gate().is_some())).collect()
}

fn is_gate(tool: &str, name: &str) -> bool {
    tool == name || tool.strip_prefix("gate:") == Some(name)
}

fn of_step(step: &Step) -> Result<Chosen, Refused> {
    if step.needs_run() {
        return Err(Refused(format!("step `{}` has expressions, which only a run can evaluate: name other gates", step.name)));
    }
    let chosen = of_tool(&step.tool, false)?;
    Ok(Chosen {
        name: step.name.clone(),
        inputs: step.inputs.clone(),
        env: step.env.clone(),
        secrets: step.secrets.clone(),
        timeout_s: step.timeout_s.unwrap_or(chosen.timeout_s),
        ..chosen
    })
}

fn of_tool(name: &str, if_it_fits: bool) -> Result<Chosen, Refused> {
    let found = handlers::gates().find(|(handler, _)| is_gate(handler.tool(), name));
    let (handler, gate) = found.ok_or_else(|| {
        let known = handlers::gates().map(|(handler, _)| handler.tool().trim_start_matches("gate:")).collect::<Vec<_>>();
        Refused(format!("`{name}` is neither a gate ({}) nor a step of the plan", known.join(", ")))
    })?;
    let (inputs, env, secrets) = (Map::new(), Map::new(), vec![]);
    let (name, timeout_s) = (handler.tool().to_owned(), handler.default_timeout_s());
    Ok(Chosen { name, handler, gate, inputs, env, secrets, timeout_s, if_it_fits })
}

/// The base goes to the gates that compare with one; whoever names a base wants them.
fn with_base(mut chosen: Vec<Chosen>, base: Option<&str>) -> Vec<Chosen> {
    let Some(base) = base else { return chosen };
    for one in &mut chosen {
        let (_, inputs) = one.handler.schemas();
        if inputs.get("properties").is_some_and(|fields| fields.get("base").is_some()) {
            one.inputs.insert("base".to_owned(), base.into());
            one.if_it_fits = false;
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use nofx_shared::plan;
    use serde_json::{Value, json};

    use super::{GateOptions, choose};

    /// Names and inputs of the chosen gates, or why there are none.
    fn chosen(steps: Option<Value>, names: &[&str], base: Option<&str>, risky: bool) -> Result<Vec<(String, Value)>, String> {
        let plan = steps.map(|steps| plan::from_json(&json!({"goal": "g", "risky": true, "steps": steps})).expect("a plan"));
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let options = GateOptions { dir: ".".into(), plan, names, base: base.map(str::to_owned), risky, secrets: vec![], out: None };
        let chosen = choose(&options).map_err(|error| error.to_string())?;
        Ok(chosen.into_iter().map(|one| (one.name, Value::Object(one.inputs))).collect())
    }

    fn names(found: Result<Vec<(String, Value)>, String>) -> Vec<String> {
        found.expect("gates").into_iter().map(|(name, _)| name).collect()
    }

    fn steps() -> Value {
        json!([
            {"name": "my lint", "tool": "gate:lint", "inputs": {"command": "true"}},
            {"name": "ask", "tool": "manual:x"},
            {"name": "smoke", "tool": "gate:e2e_smoke", "inputs": {"command": "true"}},
            {"name": "lint again", "tool": "gate:lint"},
        ])
    }

    #[test]
    fn without_a_plan_all_gates_but_the_risky_one_look_for_work() {
        let found = names(chosen(None, &[], None, false));
        assert_eq!(found.first().map(String::as_str), Some("gate:typecheck"));
        assert!(found.contains(&"gate:secrets".to_owned()) && !found.contains(&"gate:e2e_smoke".to_owned()), "{found:?}");
    }

    #[test]
    fn a_plan_says_which_gates_there_are() {
        assert_eq!(names(chosen(Some(steps()), &[], None, false)), ["my lint", "lint again"]);
        assert_eq!(names(chosen(Some(steps()), &[], None, true)), ["my lint", "lint again", "smoke"]);
        assert_eq!(names(chosen(Some(steps()), &["lint"], None, false)), ["my lint", "lint again"], "by its gate");
        assert_eq!(names(chosen(Some(steps()), &["lint again", "gate:lint"], None, false)), ["lint again", "my lint"], "none twice");
        assert_eq!(names(chosen(Some(steps()), &["unit"], None, false)), ["gate:unit"], "a gate that the plan has not");
        assert_eq!(chosen(Some(steps()), &["my lint"], None, false).expect("gates")[0].1, json!({"command": "true"}));
    }

    #[test]
    fn the_base_reaches_the_gates_that_compare() {
        let found = chosen(None, &["coverage", "lint"], Some("main"), false).expect("gates");
        assert_eq!(found, [("gate:coverage".to_owned(), json!({"base": "main"})), ("gate:lint".to_owned(), json!({}))]);
    }

    #[test]
    fn what_cannot_be_judged_is_refused() {
        let refused = |steps, names: &[&str], risky| chosen(steps, names, None, risky).expect_err("a refusal");
        assert!(refused(None, &["lnit"], false).contains("neither a gate (typecheck, lint, "));
        assert!(refused(None, &["manual:x"], false).contains("neither a gate"));
        assert!(refused(Some(steps()), &["smoke"], false).contains("--risky"), "by name, too");
        assert!(refused(None, &[], true).contains("no command"));
        let of_run = json!([{"name": "a", "tool": "gate:lint", "inputs": {"command": "echo ${{ run.id }}"}}]);
        assert!(refused(Some(of_run), &[], false).contains("expressions"));
    }
}
