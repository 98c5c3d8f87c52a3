//! The honest tenant's runs, one after the other, and how long their steps took.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::api::Api;
use crate::bench::report::milliseconds;
use crate::exit::Error;

/// Runs of three steps each that are measured.
pub(super) const RUNS: usize = 200;
/// Within the limit of reads.
const LOOK_EVERY: Duration = Duration::from_millis(25);
const PATIENCE: Duration = Duration::from_secs(60);

/// Milliseconds of each step, from when it was ready until it had ended, by the clock of the database.
pub(super) async fn steps_ms(api: &Api, runs: usize) -> Result<Vec<f64>, Error> {
    let plan = json!({"goal": "probe", "steps": [
        {"name": "a", "tool": "noop"}, {"name": "b", "tool": "noop", "inputs": {"x": "${{ steps.a.status }}"}}, {"name": "c", "tool": "noop"}]});
    let mut took = vec![];
    for _ in 0..runs {
        let run = api.post("/api/runs", &json!({"plan": plan})).await?;
        let run = ended(api, run["id"].as_str().unwrap_or_default()).await?;
        for step in run["steps"].as_array().into_iter().flatten() {
            let (Some(ready), Some(ended)) = (time(&step["ready_at"]), time(&step["ended_at"])) else {
                return Err(Error::new(format!("a step of the probe has no times: {step}")));
            };
            took.push(milliseconds(ended - ready));
        }
    }
    Ok(took)
}

fn time(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str()?.parse().ok()
}

async fn ended(api: &Api, id: &str) -> Result<Value, Error> {
    let begin = Instant::now();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let run = api.get(&format!("/api/runs/{id}")).await?;
        match run["status"].as_str() {
            Some("succeeded") => return Ok(run),
            Some("failed" | "cancelled") => return Err(Error::new(format!("a run of the probe did not succeed: {}", run["error"]))),
            _ if begin.elapsed() > PATIENCE => {
                return Err(Error::new(format!("a run of the probe did not end within {} s", PATIENCE.as_secs())));
            }
            _ => {}
        }
    }
}
