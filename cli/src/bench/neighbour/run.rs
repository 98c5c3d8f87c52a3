//! The probe alone, then beside the hostile tenant, on one stack.

use std::time::Duration;

use serde_json::json;

use super::{hostile, prepare, probe};
use crate::bench::report::{Report, percentile};
use crate::bench::stack::BenchStack;
use crate::exit::{Error, Exit, Outcome};
use crate::output;

/// The limits of a deployment, which `nofx dev` has not by itself.
const LIMITS: [(&str, &str); 3] = [("NOFX_LIMIT_READS", "6000"), ("NOFX_LIMIT_WRITES", "1200"), ("NOFX_LIMIT_TENANT", "12000")];
/// How long the hostile tenant goes on before the probe is measured again: its runs, deliveries and slow writes have piled up by then.
const HEAD_START: Duration = Duration::from_secs(10);

pub(in crate::bench) async fn run(as_json: bool) -> Outcome {
    if cfg!(debug_assertions) {
        output::note(format_args!("this is a debug build: build with --release for meaningful figures"));
    }
    let stack = BenchStack::start_with(&LIMITS).await?;
    let measured = measure(&stack).await;
    stack.stop().await?;
    measured?.print(as_json);
    Ok(Exit::Succeeded)
}

async fn measure(stack: &BenchStack) -> Result<Report, Error> {
    let api = prepare::prepare(stack).await?;
    // The first runs fill caches and open connections.
    probe::measure(&api, 20).await?;
    let mut quiet = probe::measure(&api, probe::RUNS).await?;
    let hostile = hostile::start(stack);
    tokio::time::sleep(HEAD_START).await;
    let beside = probe::measure(&api, probe::RUNS).await;
    let sent = hostile.stop().await;
    let mut beside = beside?;
    let mut report = Report::default();
    report.put_value("probe_steps", json!({"quiet": quiet.steps_ms.len(), "beside": beside.steps_ms.len()}));
    report.put_value("probe_runs_unfinished", json!({"quiet": quiet.unfinished, "beside": beside.unfinished}));
    report.put_percentiles("quiet_step_ms", &mut quiet.steps_ms);
    report.put_percentiles("beside_step_ms", &mut beside.steps_ms);
    report.put("beside_to_quiet_p50", percentile(&mut beside.steps_ms, 0.5) / percentile(&mut quiet.steps_ms, 0.5));
    report.put("beside_to_quiet_p99", percentile(&mut beside.steps_ms, 0.99) / percentile(&mut quiet.steps_ms, 0.99));
    report.put_value("hostile_requests", json!(sent));
    Ok(report)
}
