//! Executes one claimed step: its secrets, then the handler with its timeout. It always returns an outcome. What comes before is in
//! `prepare`; the outcome is settled elsewhere.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use chrono::Utc;
use nofx_shared::drivers::Network;
use nofx_shared::engine::{ClaimedStep, Failure, Outcome};
use nofx_shared::secrets::{self, Mask};
use nofx_shared::telemetry;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use super::prepare::{Prepared, Resolved, prepare};
use super::step_result::Executed;
use crate::drivers::Confinement;
use crate::egress::Grant;
use crate::handlers;
use crate::step::{Services, StepContext};

/// Largest outputs of a step; the contract's limit.
const OUTPUT_BYTES: usize = 256 << 10;
/// Largest inputs that are stored for people; the handler gets all of them.
const INPUT_BYTES: usize = 256 << 10;
/// How long a handler may take to clean up after it was stopped.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// Sets `breaker_target` when the handler names one.
pub(super) async fn execute(
    step: ClaimedStep,
    services: Arc<Services>,
    stop: CancellationToken,
    breaker_target: Arc<OnceLock<String>>,
) -> Executed {
    let Resolved { inputs, idempotency_key, env } = match prepare(&step, services.isolation_floor) {
        Ok(Prepared::Outcome(outcome)) => return outcome.into(),
        Ok(Prepared::Run(resolved)) => resolved,
        Err(failure) => return Outcome::Failed(failure).into(),
    };
    let context = StepContext {
        confinement: Confinement::of(&step, services.isolation_floor),
        step,
        env,
        idempotency_key,
        mask: Mask::default(),
        inputs: Value::Null,
        started_at: Utc::now(),
        materials: Mutex::default(),
        parameters: Mutex::default(),
        sandboxed: Arc::default(),
        egress: None,
        trace: None,
        breaker_target,
        log_offset: tokio::sync::Mutex::new(0),
        stop,
        services,
    };
    run_traced(Box::new(context), inputs).await
}

/// Runs the handler in the trace of its run, once its secrets are loaded and its approval is attested.
async fn run_traced(mut context: Box<StepContext>, inputs: Value) -> Executed {
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
        Ok(()) => {
            let used = used_inputs(&context.inputs, &context.step.spec.inputs);
            let (sandboxed, egress, mask) = (Arc::clone(&context.sandboxed), context.egress.clone(), context.mask.clone());
            let outcome = match context.attest_approval().instrument(span.clone()).await {
                Ok(()) => run_handler(context, inputs, span).await,
                Err(failure) => Outcome::Failed(failure),
            };
            let mut sandboxed = sandboxed.lock().expect("the lock is never poisoned").clone();
            if let Some(egress) = egress {
                egress.close();
                sandboxed.reached(egress.destinations(&mask));
            }
            Executed { outcome, inputs: used, sandboxed }
        }
        Err(_) if context.stop.is_cancelled() => Outcome::Interrupted.into(),
        Err(failure) => Outcome::Failed(failure).into(),
    }
}

/// The masked inputs, unless they are as planned; beyond the limit without their largest values.
fn used_inputs(masked: &Value, planned: &Map<String, Value>) -> Option<Value> {
    let masked = masked.as_object().filter(|masked| *masked != planned)?;
    let mut used = masked.clone();
    let bytes = |value: &Value| value.to_string().len();
    let mut total: usize = used.values().map(bytes).sum();
    let mut largest: Vec<(usize, String)> = used.iter().map(|(name, value)| (bytes(value), name.clone())).collect();
    largest.sort_unstable_by(|a, b| b.cmp(a));
    for (size, name) in largest {
        if total <= INPUT_BYTES {
            break;
        }
        total -= size;
        used[&name] = Value::String(format!("[cut: {size} bytes]"));
    }
    Some(Value::Object(used))
}

/// Loads the secrets that the step names, and no others, and opens its way out, whose password is one, too. While the store is unavailable
/// the step waits.
async fn load_secrets(context: &mut StepContext, inputs: &Value) -> Result<(), Failure> {
    let (tenant, names) = (context.step.tenant_id, &context.step.spec.secrets);
    let found = context.retry_until_stopped(|| context.services.secrets.read(tenant, names), secrets::Error::is_permanent).await;
    let found =
        found.map_err(
            |error| {
                if error.is_permanent() { Failure::permanent(error.to_string()) } else { Failure::transient(error.to_string()) }
            },
        )?;
    if context.confinement.network == Network::Proxy {
        let (networks, ports) = (context.networks(), context.services.step_ports.clone());
        context.egress = Some(Arc::new(Grant::open(&context.step, networks, ports).await?));
    }
    let password = context.egress.iter().map(|grant| grant.password().to_owned());
    context.mask = Mask::new(found.values().cloned().chain(password));
    context.inputs = context.mask.apply_to_json(inputs);
    context.env.extend(found);
    Ok(())
}

/// Its timeout and its stop end it; a panic in it fails the step.
async fn run_handler(context: Box<StepContext>, inputs: Value, span: Span) -> Outcome {
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
                // A step that calls no target was itself slow.
                Outcome::TimedOut(if breaker_target.get().is_some() { failure } else { failure.ignored_by_breaker() })
            };
        }
    };
    match result {
        Ok(Ok(Outcome::Done { outputs })) => mask_outputs(&outputs, &mask),
        Ok(Ok(outcome)) => outcome,
        // The handler was quicker to see the stop.
        Ok(Err(_)) if stop.is_cancelled() => Outcome::Interrupted,
        Ok(Err(failure)) => {
            Outcome::Failed(Failure { message: mask.apply(&failure.message), details: mask.apply_to_json(&failure.details), ..failure })
        }
        Err(error) => Outcome::Failed(Failure::permanent(format!("the handler failed: {error}"))),
    }
}

/// Masks secrets in outputs and enforces their limit.
fn mask_outputs(outputs: &Value, mask: &Mask) -> Outcome {
    let outputs = mask.apply_to_json(outputs);
    let bytes = outputs.to_string().len();
    if bytes > OUTPUT_BYTES {
        let message = format!("outputs are {bytes} bytes, the limit is {OUTPUT_BYTES}; write them to an artifact");
        return Outcome::Failed(Failure::permanent(message));
    }
    Outcome::Done { outputs }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{INPUT_BYTES, used_inputs};

    fn planned() -> Map<String, Value> {
        Map::from_iter([("script".to_owned(), json!("echo ${{ steps.a.outputs.v }}")), ("n".to_owned(), json!(1))])
    }

    #[test]
    fn inputs_are_reported_when_they_are_not_as_planned() {
        assert_eq!(used_inputs(&Value::Object(planned()), &planned()), None);
        let used = json!({"script": "echo ***", "n": 1});
        assert_eq!(used_inputs(&used, &planned()), Some(used));
        assert_eq!(used_inputs(&Value::Null, &planned()), None);
    }

    #[test]
    fn the_largest_values_of_too_large_inputs_are_cut() {
        let large = json!({"a": "x".repeat(INPUT_BYTES), "b": "y".repeat(INPUT_BYTES / 2), "c": 1});
        let used = used_inputs(&large, &planned()).expect("inputs");
        assert_eq!((used["a"].as_str(), &used["b"], &used["c"]), (Some("[cut: 262146 bytes]"), &large["b"], &large["c"]));
    }
}
