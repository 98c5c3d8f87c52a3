//! `claim_ms_at_1k`, `claim_ms_at_1m`: median claim of 10 steps with few and with many rows. No worker takes part: no worker has the tool
//! of the steps.

use std::time::Instant;

use serde_json::{Value, json};

use super::fixture::Fixture;
use crate::bench::report::{Report, percentile};
use crate::exit::Error;

pub(super) async fn measure(fixture: &Fixture, report: &mut Report) -> Result<(), Error> {
    for (key, settled) in [("claim_ms_at_1k", 1_000), ("claim_ms_at_1m", 1_000_000)] {
        fixture.fill(settled, 100_000).await?;
        let mut samples = vec![];
        for n in 0..60 {
            let arguments = json!({"p_worker": "bench", "p_capacity": 10, "p_tools": ["bench"]});
            let begin = Instant::now();
            let claimed: Vec<Value> = fixture.service.call("claim_steps", &arguments).await.map_err(Error::new)?;
            if n >= 10 {
                samples.push(begin.elapsed().as_secs_f64() * 1000.0);
            }
            if claimed.len() != 10 {
                return Err(Error::new(format!("a claim returned {} steps instead of 10", claimed.len())));
            }
        }
        report.put(key, percentile(&mut samples, 0.5));
    }
    Ok(())
}
