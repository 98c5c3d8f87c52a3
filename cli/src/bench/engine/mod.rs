//! `nofx bench engine`: the measures of the contract, in one run on one stack, in this order: what comes later finds a fuller database.
//! A file measures one key and puts it into the report; the stack and what several measures need is the `fixture`.

mod chain;
mod claim;
mod dag;
mod fixture;
mod idle;
mod reference;
mod start;
mod stream;

use serde_json::json;

use self::fixture::Fixture;
use crate::bench::report::Report;
use crate::exit::{Error, Exit, Outcome};

/// What `--only` takes; a key of the report may also have a percentile or a number of steps: `start_ms_p50`, `claim_ms_at_1k`.
const MEASURES: &[&str] =
    &["ref", "chain_step_ms", "dag_steps_per_s", "start_ms", "sse_ms", "idle_calls_per_min", "dag_steps_per_s_pinned", "claim_ms"];

pub(super) async fn run(as_json: bool, only: Option<&str>) -> Outcome {
    if cfg!(debug_assertions) {
        eprintln!("this is a debug build: build with --release for meaningful figures");
    }
    if let Some(only) = only
        && !MEASURES.iter().any(|measure| is_of(only, measure))
    {
        return Err(Error::new(format!("--only {only}: unknown measure; pass one of {}", MEASURES.join(", "))));
    }
    let fixture = Fixture::prepare().await?;
    let report = &mut Report::default();
    let wants = |measure: &str| only.is_none_or(|only| is_of(only, measure));
    let idle = fixture.memory_at_rest().await;
    // What the others are compared with.
    reference::measure(&fixture, report).await?;
    if wants("chain_step_ms") {
        chain::measure(&fixture, report).await?;
    }
    let peak = if wants("dag_steps_per_s") { dag::measure(&fixture, report).await? } else { idle };
    if wants("start_ms") {
        start::measure(&fixture, report).await?;
    }
    if wants("sse_ms") {
        stream::measure(&fixture, report).await?;
    }
    if wants("idle_calls_per_min") {
        idle::measure(&fixture, report).await?;
    }
    if wants("dag_steps_per_s_pinned") {
        dag::measure_pinned(&fixture, report).await?;
    }
    if wants("claim_ms") {
        claim::measure(&fixture, report).await?;
    }
    report.put_value("worker_rss_mb", json!({"idle": idle.worker_mb, "peak": peak.worker_mb}));
    report.put_value("api_rss_mb", json!({"idle": idle.api_mb, "peak": peak.api_mb}));
    report.print(as_json);
    fixture.stop().await?;
    Ok(Exit::Succeeded)
}

/// Whether a key of the report is this measure, or one of its percentiles or sizes.
fn is_of(key: &str, measure: &str) -> bool {
    key.strip_prefix(measure).is_some_and(|rest| {
        let is_percentile = rest.strip_prefix("_p").is_some_and(|percent| percent.parse::<u8>().is_ok());
        rest.is_empty() || is_percentile || rest.starts_with("_at_") || measure == "ref"
    })
}
