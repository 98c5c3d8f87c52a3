//! `chain_step_ms`: a run of 20 no-op steps in a line, from POST to end, per step.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::fixture::Fixture;
use crate::bench::report::{Report, milliseconds, percentile};
use crate::exit::Error;

pub(super) async fn measure(fixture: &Fixture, report: &mut Report) -> Result<(), Error> {
    let steps: Vec<Value> = (0..20).map(|n| json!({"name": format!("s{n}"), "tool": "noop"})).collect();
    let plan = json!({"goal": "chain", "steps": steps});
    let mut samples = vec![];
    for n in 0..13 {
        let begin = Utc::now();
        let run: uuid::Uuid = fixture.submit(&plan).await?.parse().map_err(Error::new)?;
        fixture.wait_until_idle(Duration::from_millis(20)).await?;
        let row = fixture.sql.query_one("select ended_at from nofx.run where id = $1", &[&run]).await.map_err(Error::new)?;
        if n >= 3 {
            samples.push(milliseconds(row.get::<_, DateTime<Utc>>(0) - begin) / 20.0);
        }
    }
    report.put("chain_step_ms", percentile(&mut samples, 0.5));
    Ok(())
}
