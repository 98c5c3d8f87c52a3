//! `start_ms_p50`, `start_ms_p99`: POST /api/runs to the first step's handler starting, on an idle system.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::fixture::Fixture;
use crate::bench::report::{Report, milliseconds};
use crate::exit::Error;

pub(super) async fn measure(fixture: &Fixture, report: &mut Report) -> Result<(), Error> {
    let plan = json!({"goal": "start", "steps": [{"name": "only", "tool": "noop"}]});
    let mut samples = vec![];
    // The first twenty warm up the connections of PostgREST's pool.
    for n in 0..120 {
        let begin = Utc::now();
        let run: uuid::Uuid = fixture.submit(&plan).await?.parse().map_err(Error::new)?;
        fixture.wait_until_idle(Duration::from_millis(2)).await?;
        // The settle's transaction begins just after the handler, which does nothing: no earlier than the handler started.
        let row = fixture.sql.query_one("select ended_at from nofx.step where run_id = $1", &[&run]).await.map_err(Error::new)?;
        if n >= 20 {
            samples.push(milliseconds(row.get::<_, DateTime<Utc>>(0) - begin));
        }
    }
    report.put_percentiles("start_ms", &mut samples);
    Ok(())
}
