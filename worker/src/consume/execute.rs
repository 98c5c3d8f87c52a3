//! Executes one claimed step: condition, list, inputs, secrets, then the handler with its timeout. It always returns an outcome.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use chrono::Utc;
use nofx_shared::engine::{ClaimedStep, Failure, Hold, Outcome, StepStatus};
use nofx_shared::plan::expression::{self, Scope};
use nofx_shared::plan::resolve;
use nofx_shared::secrets::{self, Mask};
use nofx_shared::telemetry;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use crate::handlers;
use crate::step::{Services, StepContext};

/// Largest outputs of a step; the contract's limit.
const OUTPUT_BYTES: usize = 256 << 10;
/// How long a handler may take to clean up after it was stopped.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// Sets `breaker_target` when the handler names one.
pub(super) async fn execute(
    step: ClaimedStep,
    services: Arc<Services>,
    stop: CancellationToken,
    breaker_target: Arc<OnceLock<String>>,
) -> Outcome {
    match prepare(step, services, stop, breaker_target) {
        Ok(Preparation::Outcome(outcome)) => outcome,
        Ok(Preparation::Step(context, inputs)) => start(context, inputs).await,
        Err(failure) => Outcome::Failed(failure),
    }
}

/// Runs the handler in the trace of its run.
async fn start(mut context: Box<StepContext>, inputs: Value) -> Outcome {
    let step = &context.step;
    let span = tracing::info_span!(
        "step", otel.name = format!("step {}", step.tool), run.id = %step.run_id, step.id = %step.id, step.name = step.name, step.tool = step.tool,
        step.attempt = step.attempt,
    );
    let parent = step.traceparent.as_ref().and_then(|text| text.parse().ok());
    telemetry::follow(&span, parent.as_ref());
    context.trace = telemetry::current(&span, parent.as_ref());
    let loaded = load_secrets(&mut context, &inputs).instrument(span.clone()).await;
    match loaded {
        Ok(()) => match context.attest_approval().instrument(span.clone()).await {
            Ok(()) => run(context, inputs, span).await,
            Err(failure) => Outcome::Failed(failure),
        },
        Err(_) if context.stop.is_cancelled() => Outcome::Interrupted,
        Err(failure) => Outcome::Failed(failure),
    }
}

enum Preparation {
    Outcome(Outcome),
    Step(Box<StepContext>, Value),
}

fn prepare(
    step: ClaimedStep,
    services: Arc<Services>,
    stop: CancellationToken,
    breaker_target: Arc<OnceLock<String>>,
) -> Result<Preparation, Failure> {
    if let Some(gate) = step.gate.as_ref().filter(|gate| gate.status == "expired") {
        return Err(Failure::permanent(format!("gate {} expired without a decision", gate.gate_type)));
    }
    if let Some(gate) = step.gate.as_ref().filter(|gate| gate.status != "passed" && gate.status != "waived") {
        let by = gate.decided_by.as_deref().unwrap_or("an unknown person");
        let reason = gate.reason.as_deref().unwrap_or("no reason given");
        return Err(Failure::permanent(format!("gate {} was rejected by {by}: {reason}", gate.gate_type)));
    }
    let scope = Scope {
        run: json!({"id": step.run_id, "goal": step.goal, "created_by": step.created_by, "tenant_id": step.tenant_id}),
        steps: step.step_outputs.clone().unwrap_or_else(|| json!({})),
        item: step.item.clone().unwrap_or_default(),
        index: step.index.into(),
    };
    if let Some(children) = &step.children {
        return Ok(Preparation::Outcome(collect_children(children)));
    }
    // Evaluated once: not again after a gate or a timer.
    if let Some(condition) = step.spec.r#if.as_ref().filter(|_| step.gate.is_none() && step.parked_outputs.is_none()) {
        match expression::evaluate(condition, &scope).map_err(|error| permanent(&error))? {
            Value::Bool(true) => {}
            Value::Bool(false) => return Ok(Preparation::Outcome(Outcome::Skipped { reason: format!("`{condition}` is false") })),
            other => return Err(Failure::permanent(format!("`if` must be true or false, but `{condition}` is {other}"))),
        }
    }
    match &step.hold {
        Some(Hold::Refuse(reason)) => return Err(Failure::permanent(reason.clone())),
        Some(Hold::Approval(approval)) => {
            return Ok(Preparation::Outcome(Outcome::Gate { kind: approval.kind.clone(), question: None }));
        }
        Some(Hold::Breaker(target)) => return Ok(Preparation::Outcome(Outcome::BreakerOpen { target: target.clone() })),
        None => {}
    }
    if let Some(source) = &step.spec.for_each {
        return match expression::evaluate(source, &scope).map_err(|error| permanent(&error))? {
            Value::Array(items) => Ok(Preparation::Outcome(Outcome::Children { items })),
            other => Err(Failure::permanent(format!("`for_each` must be a list, but `{source}` is {other}"))),
        };
    }
    let inputs = resolve(&Value::Object(step.spec.inputs.clone()), &scope).map_err(|error| permanent(&error))?;
    let key = step
        .spec
        .idempotency_key
        .clone()
        .map(Value::String)
        .map(|key| resolve(&key, &scope))
        .transpose()
        .map_err(|error| permanent(&error))?;
    let idempotency_key = key.map(|key| key.as_str().map_or_else(|| key.to_string(), str::to_owned));
    let mut env = BTreeMap::new();
    if let Value::Object(named) = resolve(&Value::Object(step.spec.env.clone()), &scope).map_err(|error| permanent(&error))? {
        for (key, value) in named {
            env.insert(key, value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
    }
    let context = StepContext {
        step,
        env,
        idempotency_key,
        mask: Mask::default(),
        inputs: Value::Null,
        started_at: Utc::now(),
        materials: Mutex::default(),
        parameters: Mutex::default(),
        trace: None,
        breaker_target,
        log_offset: tokio::sync::Mutex::new(0),
        stop,
        services,
    };
    Ok(Preparation::Step(Box::new(context), inputs))
}

/// Loads the secrets that the step names, and no others. While the store is unavailable the step waits.
async fn load_secrets(context: &mut StepContext, inputs: &Value) -> Result<(), Failure> {
    let (tenant, names) = (context.step.tenant_id, &context.step.spec.secrets);
    let found = context.retry_until_stopped(|| context.services.secrets.read(tenant, names), secrets::Error::is_permanent).await;
    let found =
        found.map_err(
            |error| {
                if error.is_permanent() { Failure::permanent(error.to_string()) } else { Failure::transient(error.to_string()) }
            },
        )?;
    context.mask = Mask::new(found.values().cloned());
    // As text, because a secret may be a part of a value.
    context.inputs = serde_json::from_str(&context.mask.apply(&inputs.to_string())).unwrap_or_default();
    context.env.extend(found);
    Ok(())
}

fn permanent(error: &expression::Invalid) -> Failure {
    Failure::permanent(error.to_string())
}

/// The outputs of a `for_each` step: the outputs of its children, in order.
fn collect_children(children: &[nofx_shared::engine::Child]) -> Outcome {
    let failed: Vec<&str> = children
        .iter()
        .filter(|child| !matches!(child.status, StepStatus::Succeeded | StepStatus::Skipped))
        .map(|child| child.name.as_str())
        .collect();
    if failed.is_empty() {
        let outputs = children.iter().map(|child| child.outputs.clone().unwrap_or_default()).collect();
        return Outcome::Done { outputs: Value::Array(outputs) };
    }
    let names = failed.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    Outcome::Failed(Failure::permanent(format!("{} of {} children did not succeed: {names}", failed.len(), children.len())))
}

async fn run(context: Box<StepContext>, inputs: Value, span: Span) -> Outcome {
    let Some(handler) = handlers::find(&context.step.tool) else {
        return Outcome::Failed(Failure::permanent(format!("this worker has no handler for `{}`", context.step.tool)));
    };
    let timeout = Duration::from_secs(context.step.spec.timeout_s.unwrap_or_else(|| handler.default_timeout_s()));
    let (stop, mask, breaker_target) = (context.stop.clone(), context.mask.clone(), Arc::clone(&context.breaker_target));
    let handler_stop = stop.child_token();
    let context = StepContext { stop: handler_stop.clone(), ..*context };
    // In a task of its own, so that a panic fails the step and not the worker.
    let mut task = tokio::spawn(async move { handler.run(&context, inputs).await }.instrument(span));
    let finished = tokio::select! {
        result = &mut task => Some(result),
        () = tokio::time::sleep(timeout) => None,
        () = stop.cancelled() => None,
    };
    let result = match finished {
        Some(result) => result,
        None => {
            handler_stop.cancel();
            if tokio::time::timeout(STOP_GRACE, &mut task).await.is_err() {
                task.abort();
            }
            return if stop.is_cancelled() {
                Outcome::Interrupted
            } else {
                let failure = Failure::transient(format!("timed out after {} s", timeout.as_secs()));
                // A step that calls no target was slow by itself.
                Outcome::TimedOut(if breaker_target.get().is_some() { failure } else { failure.ignored_by_breaker() })
            };
        }
    };
    match result {
        Ok(Ok(Outcome::Done { outputs })) => mask_outputs(&outputs, &mask),
        Ok(Ok(outcome)) => outcome,
        Ok(Err(failure)) => Outcome::Failed(Failure { message: mask.apply(&failure.message), ..failure }),
        Err(error) => Outcome::Failed(Failure::permanent(format!("the handler failed: {error}"))),
    }
}

/// Masks secrets in outputs and enforces their limit.
fn mask_outputs(outputs: &Value, mask: &Mask) -> Outcome {
    let text = mask.apply(&outputs.to_string());
    if text.len() > OUTPUT_BYTES {
        let message = format!("outputs are {} bytes, the limit is {OUTPUT_BYTES}; write them to an artifact", text.len());
        return Outcome::Failed(Failure::permanent(message));
    }
    match serde_json::from_str(&text) {
        Ok(outputs) => Outcome::Done { outputs },
        Err(_) => Outcome::Failed(Failure::permanent("outputs are not valid JSON after secrets were masked")),
    }
}
