//! The honest tenant's runs, one after the other, and how long their steps took.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::api::Api;
use crate::bench::report::milliseconds;
use crate::exit::Error;

/// Runs of three steps each that are measured.
pub(super) const RUNS: usize = 200;
/// How long a measure takes at most: beside a tenant that stops everybody, fewer runs are measured.
const LONGEST: Duration = Duration::from_secs(90);
/// Within the limit of reads.
const LOOK_EVERY: Duration = Duration::from_millis(25);
const PATIENCE: Duration = Duration::from_secs(20);

/// What a measure found.
#[derive(Default)]
pub(super) struct Measured {
    /// Milliseconds of each step, from when it was ready until it had ended, by the clock of the database; until it was given up for a step that
    /// had not ended by then.
    pub steps_ms: Vec<f64>,
    /// Runs that did not end within `PATIENCE`.
    pub unfinished: usize,
}

pub(super) async fn measure(api: &Api, runs: usize) -> Result<Measured, Error> {
    let plan = json!({"goal": "probe", "steps": [
        {"name": "a", "tool": "noop"}, {"name": "b", "tool": "noop", "inputs": {"x": "${{ steps.a.status }}"}}, {"name": "c", "tool": "noop"}]});
    let (mut measured, begin) = (Measured::default(), Instant::now());
    for _ in 0..runs {
        if begin.elapsed() > LONGEST {
            break;
        }
        let run = api.post("/api/runs", &json!({"plan": plan})).await?;
        let Some(run) = ended(api, run["id"].as_str().unwrap_or_default()).await? else {
            measured.unfinished += 1;
            measured.steps_ms.push(PATIENCE.as_secs_f64() * 1000.0);
            continue;
        };
        for step in run["steps"].as_array().into_iter().flatten() {
            let (Some(ready), Some(ended)) = (time(&step["ready_at"]), time(&step["ended_at"])) else {
                return Err(Error::new(format!("a step of the probe has no times: {step}")));
            };
            measured.steps_ms.push(milliseconds(ended - ready));
        }
    }
    Ok(measured)
}

fn time(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str()?.parse().ok()
}

/// The run once it has succeeded; none when it takes too long.
async fn ended(api: &Api, id: &str) -> Result<Option<Value>, Error> {
    let begin = Instant::now();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let run = api.get(&format!("/api/runs/{id}")).await?;
        match run["status"].as_str() {
            Some("succeeded") => return Ok(Some(run)),
            Some("failed" | "cancelled") => return Err(Error::new(format!("a run of the probe did not succeed: {}", run["error"]))),
            _ if begin.elapsed() > PATIENCE => return Ok(None),
            _ => {}
        }
    }
}
