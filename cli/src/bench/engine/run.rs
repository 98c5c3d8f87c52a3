//! The measures, in their order, on one fixture.

use serde_json::json;

use super::fixture::Fixture;
use super::only::Only;
use super::{chain, claim, dag, idle, reference, start, stream};
use crate::bench::report::Report;
use crate::exit::{Exit, Outcome};
use crate::output;

pub(in crate::bench) async fn run(as_json: bool, only: Option<&str>) -> Outcome {
    if cfg!(debug_assertions) {
        output::note(format_args!("this is a debug build: build with --release for meaningful figures"));
    }
    let only = Only::new(only)?;
    let fixture = Fixture::prepare().await?;
    let report = &mut Report::default();
    let idle = fixture.memory_at_rest().await;
    // What the others are compared with.
    reference::measure(&fixture, report).await?;
    if only.wants("chain_step_ms") {
        chain::measure(&fixture, report).await?;
    }
    let peak = if only.wants("dag_steps_per_s") { dag::measure(&fixture, report).await? } else { idle };
    if only.wants("start_ms") {
        start::measure(&fixture, report).await?;
    }
    if only.wants("sse_ms") {
        stream::measure(&fixture, report).await?;
    }
    if only.wants("idle_calls_per_min") {
        idle::measure(&fixture, report).await?;
    }
    if only.wants("dag_steps_per_s_pinned") {
        dag::measure_pinned(&fixture, report).await?;
    }
    if only.wants("claim_ms") {
        claim::measure(&fixture, report).await?;
    }
    report.put_value("worker_rss_mb", json!({"idle": idle.worker_mb, "peak": peak.worker_mb}));
    report.put_value("api_rss_mb", json!({"idle": idle.api_mb, "peak": peak.api_mb}));
    report.print(as_json);
    fixture.stop().await?;
    Ok(Exit::Succeeded)
}
