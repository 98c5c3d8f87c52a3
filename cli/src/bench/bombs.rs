//! `nofx bench bombs`: what hostile steps do to their worker: how late its loop is, how much memory it takes, how long an honest step waits;
//! and, before they begin, how long it takes to cancel a step that runs.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::histogram::{buckets, quantile};
use super::memory;
use super::report::Report;
use super::stack::BenchStack;
use crate::api::Api;
use crate::exit::{Error, Exit, Outcome};

/// As many as a worker runs at once.
const STEPS: usize = 32;

/// Each a bomb of another kind; their limits or their timeout end them.
const BOMBS: [&str; 6] = [
    "perl -e '$SIG{$_} = q(IGNORE) for qw(HUP TERM INT CHLD); while (1) { fork; setpgrp }'",
    "perl -e '$SIG{CHLD} = q(IGNORE); while (1) { my $child = fork; exit if $child; setpgrp }' ; sleep 600",
    "perl -e 'my @all; push @all, q(x) x 4194304 while 1'",
    "n=0; while :; do n=$((n + 1)); head -c 1048576 /dev/zero > $n; done",
    "exec yes yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
    "exec 3< /dev/null; n=4; while :; do eval \"exec $n<&3\" 2> /dev/null; n=$((n + 1)); done",
];

pub(super) async fn run(as_json: bool) -> Outcome {
    let stack = BenchStack::start().await?;
    let measured = measure(&stack).await;
    stack.stop().await?;
    measured?.print(as_json);
    Ok(Exit::Succeeded)
}

async fn measure(stack: &BenchStack) -> Result<Report, Error> {
    let token = stack.dev.tokens.get("admin").cloned().unwrap_or_default();
    let api = Api::new(stack.dev.api_url.clone(), token);
    let before = loop {
        // It may not have started yet.
        match stack.metrics().await {
            Ok(text) => break buckets(&text, DELAY),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    };
    let supervisor = stack.dev.pids.workers.first().map_or(0, |pid| i64::from(*pid));
    let worker = memory::worker_of(supervisor).unwrap_or_default();
    let idle = memory::resident(worker);
    let cancelled = cancel(&api).await?;
    let begin = Instant::now();
    let mut runs = vec![];
    for n in 0..STEPS {
        runs.push(api.post("/api/runs", &json!({"plan": plan(BOMBS[n % BOMBS.len()], 8)})).await?);
    }
    let honest_at = Instant::now();
    let honest = api.post("/api/runs", &json!({"plan": plan("echo done", 60)})).await?;
    if finished(&api, &honest).await?["status"] != "succeeded" {
        return Err(Error::new("the honest step among the hostile ones did not succeed"));
    }
    let honest_ms = honest_at.elapsed();
    for run in &runs {
        finished(&api, run).await?;
    }
    let took = begin.elapsed();
    let after = buckets(&stack.metrics().await?, DELAY);
    let heartbeats: Vec<(f64, f64)> = after.iter().map(|(bound, count)| (*bound, count - at(&before, *bound))).collect();
    let mut report = Report::default();
    report.put("cancel_ms", cancelled.as_secs_f64() * 1000.0);
    report.put_value("steps", json!(STEPS));
    report.put("all_ended_s", took.as_secs_f64());
    report.put("honest_step_ms", honest_ms.as_secs_f64() * 1000.0);
    report.put("loop_delay_ms_p50", quantile(&heartbeats, 0.5) * 1000.0);
    report.put("loop_delay_ms_p99", quantile(&heartbeats, 0.99) * 1000.0);
    report.put("loop_delay_ms_max_below", worst(&heartbeats) * 1000.0);
    report.put_value("heartbeats", json!(heartbeats.last().map_or(0.0, |(_, all)| *all)));
    report.put_value("worker_rss_mb", json!({"idle": idle, "peak": memory::peak(worker)}));
    report.put_value("worker_lives", json!(memory::peak(worker).is_finite()));
    Ok(report)
}

/// How long it takes from the call that cancels a run until its step, which would run for ten minutes, has ended.
async fn cancel(api: &Api) -> Result<Duration, Error> {
    let run = api.post("/api/runs", &json!({"plan": plan("sleep 600", 900)})).await?;
    let path = format!("/api/runs/{}", run["id"].as_str().unwrap_or_default());
    while api.get(&path).await?["steps"][0]["status"] != "running" {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let begin = Instant::now();
    api.post(&format!("{path}/cancel"), &json!({"reason": "bench"})).await?;
    finished(api, &run).await?;
    Ok(begin.elapsed())
}

/// How late the loop was for its heartbeat, once a second.
const DELAY: &str = "nofx_loop_delay_seconds";

fn plan(script: &str, timeout_s: u64) -> Value {
    json!({"goal": "bench", "steps": [{"name": "step", "tool": "bash", "timeout_s": timeout_s, "retry": {"max_attempts": 1},
        "resources": {"memory_mb": 64, "disk_mb": 40, "processes": 40}, "inputs": {"script": script}}]})
}

async fn finished(api: &Api, run: &Value) -> Result<Value, Error> {
    let path = format!("/api/runs/{}", run["id"].as_str().unwrap_or_default());
    loop {
        let run = api.get(&path).await?;
        if matches!(run["status"].as_str(), Some("succeeded" | "failed" | "cancelled")) {
            return Ok(run);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn at(buckets: &[(f64, f64)], bound: f64) -> f64 {
    buckets
        .iter()
        .find(|(other, _)| (other - bound).abs() < f64::EPSILON || (other.is_infinite() && bound.is_infinite()))
        .map_or(0.0, |(_, count)| *count)
}

/// The upper bound of the bucket that the latest heartbeat is in.
fn worst(buckets: &[(f64, f64)]) -> f64 {
    let all = buckets.last().map_or(0.0, |(_, count)| *count);
    buckets.iter().find(|(_, count)| *count >= all).map_or(f64::NAN, |(bound, _)| *bound)
}
