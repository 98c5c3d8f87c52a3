//! Executes one claimed step: its secrets, then the handler with its timeout. It always returns an outcome. What comes before is in
//! `prepare`; the outcome is settled elsewhere.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use chrono::Utc;
use nofx_shared::db;
use nofx_shared::drivers::{Driver, Limits, Network, Placement, Resources};
use nofx_shared::engine::{ClaimedStep, Failure, Outcome};
use nofx_shared::plan::expression::apart;
use nofx_shared::secrets::{self, Mask};
use nofx_shared::telemetry;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};
use uuid::Uuid;

use super::prepare::{Prepared, Resolved, evaluates, prepare};
use super::route::route;
use super::step_result::Executed;
use crate::drivers::{Accounts, Confinement, Isolation, OwnMachine, Place, Sandboxed, Spec, Tags};
use crate::egress::Grant;
use crate::handlers;
use crate::step::{Services, StepContext, masked};

/// Largest inputs that are stored for people; the handler gets all of them.
const INPUT_BYTES: usize = 256 << 10;
/// How much longer than its attempt a machine may live, should nobody kill it: for its start, and for files on their way.
const LIFETIME_MARGIN: Duration = Duration::from_secs(120);
/// How much later than a function ends its answer may arrive.
const ANSWER_GRACE: Duration = Duration::from_secs(5);

/// Sets `breaker_target` when the handler names one.
pub(super) async fn execute(
    step: ClaimedStep,
    services: Arc<Services>,
    stop: CancellationToken,
    breaker_target: Arc<OnceLock<String>>,
) -> Executed {
    // Expressions of a tenant are evaluated one after the other: as many at once as it has steps would leave nobody a processor.
    let turn = if evaluates(&step) { Some(services.turns.of(step.tenant_id).await) } else { None };
    if turn.is_some() && stop.is_cancelled() {
        return Outcome::Interrupted.into();
    }
    let (step, prepared) = prepared(step, &services.isolation, &services.offered).await;
    drop(turn);
    let (inputs, context) = match prepared {
        Ok(Prepared::Outcome(outcome)) => return outcome.into(),
        Ok(Prepared::Run(resolved)) => context(step, resolved, services, stop, breaker_target),
        Err(failure) => return Outcome::Failed(failure).into(),
    };
    run_traced(context, inputs).await
}

/// What its handler gets, and its inputs.
fn context(
    step: ClaimedStep,
    resolved: Resolved,
    services: Arc<Services>,
    stop: CancellationToken,
    breaker_target: Arc<OnceLock<String>>,
) -> (Value, Box<StepContext>) {
    let Resolved { inputs, idempotency_key, env } = resolved;
    let place = place(&step, &services);
    let sandboxed = match place {
        Place::Here => Sandboxed::default(),
        Place::Machine(_) => Sandboxed::elsewhere(services.isolation.reduced()),
    };
    let context = StepContext {
        confinement: Confinement::of(&step, services.isolation.floor),
        place,
        step,
        env,
        idempotency_key,
        mask: Mask::default(),
        inputs: Value::Null,
        started_at: Utc::now(),
        materials: Mutex::default(),
        parameters: Mutex::default(),
        sandboxed: Arc::new(Mutex::new(sandboxed)),
        egress: None,
        trace: None,
        breaker_target,
        begun: tokio::sync::OnceCell::new(),
        left: Arc::default(),
        log_offset: tokio::sync::Mutex::new(0),
        stop,
        services,
    };
    (inputs, Box::new(context))
}

/// Expressions are evaluated away from the threads of the loops: a costly one takes a few hundred milliseconds.
async fn prepared(
    mut step: ClaimedStep,
    isolation: &Isolation,
    offered: &[(Driver, &'static [Placement])],
) -> (ClaimedStep, Result<Prepared, Failure>) {
    route(&mut step, isolation);
    if !evaluates(&step) {
        let prepared = prepare(&step, isolation, offered);
        return (step, prepared);
    }
    let (isolation, offered) = (isolation.clone(), offered.to_vec());
    let work = move || {
        let prepared = prepare(&step, &isolation, &offered);
        (step, prepared)
    };
    apart(work).await
}

/// Where its programs run. A machine is created when the first of them starts.
fn place(step: &ClaimedStep, services: &Services) -> Place {
    let kind = (step.driver(), step.spec.placement);
    if !Accounts::make(kind) {
        return Place::Here;
    }
    let timeout_s = timeout_s(step);
    let Resources { cpu_s, memory_mb, disk_mb, processes, network } = step.resources();
    let spec = Spec {
        kind,
        tags: Tags {
            deployment: services.accounts.deployment.clone(),
            tenant: step.tenant_id,
            run: step.run_id,
            step: step.id,
            attempt: step.attempt,
            creation: Uuid::nil(),
        },
        image: step.image().cloned(),
        network: network.unwrap_or(Network::All),
        limits: Limits { cpu_s, memory_mb, file_mb: disk_mb, processes, ..Limits::default() },
        lifetime: Duration::from_secs(timeout_s) + LIFETIME_MARGIN,
    };
    Place::Machine(Arc::new(OwnMachine::new(Arc::clone(&services.accounts), spec)))
}

/// How long the attempt may take, in seconds.
fn timeout_s(step: &ClaimedStep) -> u64 {
    let default = || handlers::find(&step.tool).map_or(0, |handler| handler.default_timeout_s());
    step.spec.timeout_s.unwrap_or_else(default)
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
            let (sandboxed, place) = (Arc::clone(&context.sandboxed), context.place.clone());
            let (egress, mask, left) = (context.egress.clone(), context.mask.clone(), Arc::clone(&context.left));
            let outcome = match context.attest_approval().instrument(span.clone()).await {
                Ok(()) => run_handler(context, inputs, span).await,
                Err(failure) => Outcome::Failed(failure),
            };
            let machine_usage = match place {
                Place::Machine(own) => own.end().await,
                Place::Here => None,
            };
            let mut sandboxed = sandboxed.lock().expect("the lock is never poisoned").clone();
            sandboxed.add_usage(machine_usage);
            if let Some(egress) = egress {
                egress.close();
                sandboxed.reached(egress.destinations(&mask));
            }
            let left = left.get().filter(|_| matches!(outcome, Outcome::Done { .. })).cloned();
            Executed { outcome, inputs: used, sandboxed, left }
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

/// Loads the secrets that the step names, and no others, which the audit log records, and opens its way out, whose password is one, too. While the store is unavailable
/// the step waits.
async fn load_secrets(context: &mut StepContext, inputs: &Value) -> Result<(), Failure> {
    let (tenant, names) = (context.step.tenant_id, &context.step.spec.secrets);
    if !names.is_empty() {
        let lease = Some((context.step.id, context.step.token));
        let record = || secrets::record_use(&context.services.db, tenant, names, lease);
        match context.retry_until_stopped(record, db::Error::is_permanent).await {
            Ok(true) => {}
            Ok(false) => return Err(Failure::transient("the step's lease has expired: its secrets are not read")),
            Err(error) => return Err(Failure::transient(format!("the use of its secrets could not be recorded: {error}"))),
        }
    }
    let found = context.retry_until_stopped(|| context.services.secrets.read(tenant, names), secrets::Error::is_permanent).await;
    let found =
        found.map_err(
            |error| {
                if error.is_permanent() { Failure::permanent(error.to_string()) } else { Failure::transient(error.to_string()) }
            },
        )?;
    if context.confinement.network == Network::Proxy {
        let (networks, ports) = (context.attempt().networks(), context.services.step_ports.clone());
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
    let is_on_function = context.is_on_function() && handlers::find_portable(&context.step.tool).is_some();
    let timeout = if is_on_function {
        Duration::from_secs(context.function_timeout_s()) + ANSWER_GRACE
    } else {
        Duration::from_secs(timeout_s(&context.step))
    };
    let (stop, mask, breaker_target) = (context.stop.clone(), context.mask.clone(), Arc::clone(&context.breaker_target));
    let stop_grace = context.services.stop_grace;
    let handler_stop = stop.child_token();
    let mut context = StepContext { stop: handler_stop.clone(), ..*context };
    // In a task of its own, so that a panic fails the step and not the worker.
    let running = async move {
        let result = if is_on_function { context.run_on_function(inputs).await } else { handler.run(&context, inputs).await };
        context.leave_workspace(result).await
    };
    let mut task = tokio::spawn(running.instrument(span));
    let finished = tokio::select! {
        result = &mut task => Some(result),
        () = tokio::time::sleep(timeout) => None,
        () = stop.cancelled() => None,
    };
    let result = match finished {
        Some(result) => result,
        None => {
            handler_stop.cancel();
            if tokio::time::timeout(stop_grace, &mut task).await.is_err() {
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
        // The handler was quicker to see the stop.
        Ok(Err(_)) if stop.is_cancelled() => Outcome::Interrupted,
        Ok(result) => masked(result, &mask),
        Err(error) => Outcome::Failed(Failure::permanent(format!("the handler failed: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use nofx_shared::drivers::Level;
    use serde_json::{Map, Value, json};
    use uuid::Uuid;

    use super::{INPUT_BYTES, Isolation, prepared, used_inputs};
    use crate::drivers::offered;

    /// On a runtime with one thread, which must be free to go on with the other.
    #[tokio::test]
    async fn an_expression_holds_up_nothing_else() {
        let isolation =
            Isolation { floor: Some(Level::L2), lacking: BTreeMap::new(), elsewhere: None, network: None, toolchains: Default::default() };
        let items = vec!["1"; 100].join(",");
        let costly = format!("[{items}].all(a, [{items}].all(b, [{items}].all(c, true)))");
        for spec in [
            json!({"if": costly}),
            json!({"for_each": costly}),
            json!({"inputs": {"a": [format!("${{{{ {costly} }}}}")]}}),
            json!({"env": {"A": format!("is ${{{{ {costly} }}}}")}}),
            json!({"idempotency_key": format!("${{{{ {costly} }}}}")}),
        ] {
            let row = json!({"id": Uuid::nil(), "run_id": Uuid::nil(), "tenant_id": Uuid::nil(), "name": "a", "tool": "noop", "attempt": 1,
                "ready_at": "2026-01-01T00:00:00Z", "token": Uuid::nil(), "goal": "", "created_by": "", "spec": spec});
            let step = serde_json::from_value(row).expect("a claimed step");
            let order = Mutex::new(vec![]);
            let note = |what| order.lock().expect("never poisoned").push(what);
            let evaluates = async {
                let failure = prepared(step, &isolation, &offered(false)).await.1.err().expect("it takes too much");
                assert!(failure.message.contains("takes too much work or memory"), "{}", failure.message);
                note("evaluated");
            };
            tokio::join!(evaluates, async { note("another") });
            assert_eq!(*order.lock().expect("never poisoned"), ["another", "evaluated"], "{spec}");
        }
    }

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
