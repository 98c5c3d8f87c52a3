//! The passes, one after the other. What they look at is in their files.

use serde_json::Value;

use super::super::fields::Fields;
use super::super::{Plan, Step, limits};
use super::{approvals, expressions, needs, plan_fields, step_fields, warnings, workspace};
use crate::problem::Fault;

/// The passes, in order.
pub(in crate::plan) fn check(value: &Value) -> Result<Plan, Vec<Fault>> {
    let mut faults = vec![];
    let size = value.to_string().len();
    if size > limits::PLAN_BYTES {
        return Err(vec![Fault::new("", format!("the plan is {size} bytes, the limit is {}", limits::PLAN_BYTES))]);
    }
    let Some(fields) = Fields::of(value, "", &mut faults) else { return Err(faults) };
    let mut plan = plan_fields::read(&fields, &mut faults);
    let defaults = plan_fields::defaults(&fields, &mut faults);
    let listed = plan_fields::steps(&fields, &mut faults);
    if listed.len() > limits::STEPS {
        faults.push(Fault::new("/steps", format!("has {} steps, the limit is {}", listed.len(), limits::STEPS)));
        return Err(faults);
    }
    let mut steps: Vec<Step> = vec![];
    for (at, value) in listed.iter().enumerate() {
        steps.push(step_fields::read(value, at, defaults.as_ref(), &mut faults));
    }
    let needs = needs::resolve(&mut steps, listed, &mut faults);
    let order = needs::sort(&steps, &needs, &mut faults);
    for (at, step) in steps.iter().enumerate() {
        approvals::check(step, at, plan.risky, &mut faults);
        workspace::check_inputs(step, at, &mut faults);
    }
    let references = expressions::check(&steps, &needs, &mut faults);
    if !faults.is_empty() {
        return Err(faults);
    }
    for (step, names) in steps.iter_mut().zip(references) {
        step.references = names;
    }
    plan.warnings = warnings::find(&plan);
    plan.steps = order.iter().map(|at| steps[*at].clone()).collect();
    plan.positions = order;
    Ok(plan)
}
