//! Prepares a claimed step before its handler runs: it may have an outcome already, or its expressions give its inputs. From the
//! claim alone: nothing here calls, waits or reads a secret.

use std::collections::BTreeMap;

use nofx_shared::drivers::{Driver, Placement};
use nofx_shared::engine::{Child, ClaimedStep, Failure, Hold, Outcome, StepStatus};
use nofx_shared::plan::expression::{Invalid, Scope};
use nofx_shared::plan::{VALUE_DEPTH, has_expressions, is_deep, resolve};
use serde_json::{Map, Value, json};

use super::check_driver::check_driver;
use crate::drivers::Isolation;

/// Most of a value that is shown in a message.
const SHOWN_BYTES: usize = 400;

/// Children of a run, at most.
const MAX_CHILDREN: usize = 10_000;
/// What the outputs of all children may have together; the database counts.
const CHILDREN_OUTPUT_BYTES: usize = 4 << 20;

pub(super) enum Prepared {
    /// No handler runs.
    Outcome(Outcome),
    Run(Resolved),
}

/// What a handler gets, its expressions resolved.
pub(super) struct Resolved {
    pub inputs: Value,
    pub idempotency_key: Option<String>,
    /// Without the secrets that the step names.
    pub env: BTreeMap<String, String>,
}

/// Whether `prepare` evaluates expressions, and so must not run on a thread that serves others.
pub(super) fn evaluates(step: &ClaimedStep) -> bool {
    let spec = &step.spec;
    let has = |texts: &Map<String, Value>| texts.values().any(has_expressions);
    spec.r#if.is_some()
        || spec.for_each.is_some()
        || has(&spec.inputs)
        || has(&spec.env)
        || spec.idempotency_key.as_ref().is_some_and(|key| key.contains("${{"))
}

/// The checks are in order of precedence: a person's rejection first, and no one has to approve a step whose
/// condition is false. `offered`: the drivers that the deployment has.
pub(super) fn prepare(step: &ClaimedStep, isolation: &Isolation, offered: &[(Driver, &[Placement])]) -> Result<Prepared, Failure> {
    step.check_readable()?;
    if matches!(step.hold, Some(Hold::Later)) {
        // Of what it was claimed with only what it is settled by is there.
        return check_hold(step).map(|outcome| Prepared::Outcome(outcome.unwrap_or(Outcome::Interrupted)));
    }
    check_gate(step)?;
    if let Some(children) = &step.children {
        return Ok(Prepared::Outcome(collect_children(children)));
    }
    check_outputs(step)?;
    let scope = &mut scope(step);
    if let Some(outcome) = check_condition(step, scope)? {
        return Ok(Prepared::Outcome(outcome));
    }
    if let Some(outcome) = check_hold(step)? {
        return Ok(Prepared::Outcome(outcome));
    }
    if let Some(source) = &step.spec.for_each {
        return list_children(source, scope).map(Prepared::Outcome);
    }
    check_driver(step, isolation, offered)?;
    Ok(Prepared::Run(Resolved {
        inputs: inputs(step, scope)?,
        idempotency_key: idempotency_key(step, scope)?,
        env: env(&step.spec.env, scope)?,
    }))
}

/// A step continues only after a gate that passed or was waived.
fn check_gate(step: &ClaimedStep) -> Result<(), Failure> {
    let Some(gate) = &step.gate else { return Ok(()) };
    match gate.status.as_str() {
        "passed" | "waived" => Ok(()),
        "expired" => Err(Failure::permanent(format!("gate {} expired without a decision", gate.gate_type))),
        _ => {
            let by = gate.decided_by.as_deref().unwrap_or("an unknown person");
            let reason = gate.reason.as_deref().unwrap_or("no reason given");
            Err(Failure::permanent(format!("gate {} was rejected by {by}: {reason}", gate.gate_type)))
        }
    }
}

/// The outputs of a `for_each` step: the outputs of its children, in order.
fn collect_children(children: &[Child]) -> Outcome {
    let failed: Vec<&str> = children
        .iter()
        .filter(|child| !matches!(child.status, StepStatus::Succeeded | StepStatus::Skipped))
        .map(|child| child.name.as_str())
        .collect();
    if failed.is_empty() && children.iter().any(|child| child.left_out) {
        return Outcome::Failed(Failure::permanent(format!(
            "the outputs of the {} children have more than {} MiB together: have them save artifacts",
            children.len(),
            CHILDREN_OUTPUT_BYTES >> 20
        )));
    }
    if failed.is_empty() {
        let outputs = children.iter().map(|child| child.outputs.clone().unwrap_or_default()).collect();
        return Outcome::Done { outputs: Value::Array(outputs) };
    }
    let names = failed.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    Outcome::Failed(Failure::permanent(format!("{} of {} children did not succeed: {names}", failed.len(), children.len())))
}

/// The database leaves out what is too much to read with each claim; without it expressions would see nothing.
fn check_outputs(step: &ClaimedStep) -> Result<(), Failure> {
    let named = step.step_outputs.as_ref().and_then(Value::as_object);
    if named.is_some_and(|named| named.values().any(|one| one["outputs"].is_null())) {
        return Err(Failure::permanent(
            "the steps that its expressions name have outputs of more than 8 MiB together: name fewer, or pass artifacts",
        ));
    }
    Ok(())
}

fn scope(step: &ClaimedStep) -> Scope {
    let run = json!({"id": step.run_id, "goal": step.goal, "created_by": step.created_by, "tenant_id": step.tenant_id});
    let none = json!({});
    Scope::new(&run, step.step_outputs.as_ref().unwrap_or(&none), step.item.as_ref().unwrap_or(&Value::Null), &step.index.into())
}

/// Evaluated once: not again after a gate or a timer.
fn check_condition(step: &ClaimedStep, scope: &mut Scope) -> Result<Option<Outcome>, Failure> {
    let Some(condition) = step.spec.r#if.as_ref().filter(|_| step.gate.is_none() && step.parked_outputs.is_none()) else { return Ok(None) };
    match scope.evaluate(condition).map_err(|error| permanent(&error))? {
        Value::Bool(true) => Ok(None),
        Value::Bool(false) => Ok(Some(Outcome::Skipped { reason: format!("`{condition}` is false") })),
        other => Err(Failure::permanent(format!("`if` must be true or false, but `{condition}` is {}", shown(&other)))),
    }
}

fn check_hold(step: &ClaimedStep) -> Result<Option<Outcome>, Failure> {
    match &step.hold {
        Some(Hold::Refuse(reason)) => Err(Failure::permanent(reason.clone())),
        Some(Hold::Approval(approval)) => Ok(Some(Outcome::Gate { gate_type: approval.gate_type.clone(), question: None })),
        Some(Hold::Breaker(target)) => Ok(Some(Outcome::BreakerOpen { target: target.clone() })),
        Some(Hold::Later) => Ok(Some(Outcome::Interrupted)),
        None => Ok(None),
    }
}

/// One child for each item of the list.
fn list_children(source: &str, scope: &mut Scope) -> Result<Outcome, Failure> {
    match scope.evaluate(source).map_err(|error| permanent(&error))? {
        Value::Array(items) if items.len() > MAX_CHILDREN => {
            Err(Failure::permanent(format!("`for_each` has {} items, the limit is {MAX_CHILDREN}: split the list", items.len())))
        }
        Value::Array(items) => Ok(Outcome::Children { items }),
        other => Err(Failure::permanent(format!("`for_each` must be a list, but `{source}` is {}", shown(&other)))),
    }
}

fn inputs(step: &ClaimedStep, scope: &mut Scope) -> Result<Value, Failure> {
    let inputs = resolve(&Value::Object(step.spec.inputs.clone()), scope).map_err(|error| permanent(&error))?;
    if is_deep(&inputs) {
        return Err(Failure::permanent(format!("the inputs are nested deeper than {VALUE_DEPTH} levels")));
    }
    Ok(inputs)
}

fn idempotency_key(step: &ClaimedStep, scope: &mut Scope) -> Result<Option<String>, Failure> {
    let Some(key) = &step.spec.idempotency_key else { return Ok(None) };
    let key = resolve(&Value::String(key.clone()), scope).map_err(|error| permanent(&error))?;
    Ok(Some(text(&key)))
}

fn env(named: &Map<String, Value>, scope: &mut Scope) -> Result<BTreeMap<String, String>, Failure> {
    let mut env = BTreeMap::new();
    if let Value::Object(named) = resolve(&Value::Object(named.clone()), scope).map_err(|error| permanent(&error))? {
        for (key, value) in named {
            env.insert(key, text(&value));
        }
    }
    Ok(env)
}

/// As much of a value as is of use in a message.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.len() <= SHOWN_BYTES { text } else { format!("{}…", &text[..text.floor_char_boundary(SHOWN_BYTES)]) }
}

/// Text as it is, anything else as JSON.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn permanent(error: &Invalid) -> Failure {
    Failure::permanent(error.to_string())
}

#[cfg(test)]
mod tests;
