//! Starts a claimed step in a task of its own, which sends its result: there is one, whatever happens to the step. Its lease is held.

use std::sync::{Arc, OnceLock};

use chrono::Utc;
use nofx_shared::engine::ClaimedStep;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::execute::execute;
use super::step_result::{Executed, StepResult};
use crate::handlers;
use crate::metrics::Metrics;
use crate::step::Services;

pub(super) fn start_step(
    step: ClaimedStep,
    stop: CancellationToken,
    services: Arc<Services>,
    metrics: Arc<Metrics>,
    results: mpsc::UnboundedSender<StepResult>,
) {
    let waited = Utc::now() - step.ready_at;
    metrics.claimed(waited.as_seconds_f64().max(0.0), step.attempt, step.traceparent.as_deref());
    let (tenant, run, id, token) = (step.tenant_id, step.run_id, step.id, step.token);
    let (trace, tool, started_at) = (step.traceparent.clone(), handlers::name(&step.tool), Instant::now());
    tokio::spawn(async move {
        let breaker_target = Arc::new(OnceLock::new());
        let Executed { outcome, inputs, sandboxed, left } = execute(step, services, stop, Arc::clone(&breaker_target)).await;
        let breaker_target = breaker_target.get().cloned();
        metrics.executed(tool, &outcome, started_at.elapsed().as_secs_f64(), trace.as_deref());
        if let Some(usage) = &sandboxed.usage {
            metrics.used(tool, usage);
        }
        // The loop receives until the last lease has ended: this cannot fail.
        drop(results.send(StepResult { tenant, run, step: id, token, outcome, breaker_target, inputs, sandboxed, left }));
    });
}
