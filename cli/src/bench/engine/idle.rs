//! `idle_calls_per_min`: calls of the database by an idle worker, with 50 runs parked or asleep.

use std::time::Duration;

use serde_json::json;

use super::fixture::Fixture;
use crate::bench::report::Report;
use crate::exit::Error;

/// Every call of PostgREST is one transaction of its role; our own connection is another role's.
const COUNT: &str = "select coalesce(sum(calls), 0)::bigint from extensions.pg_stat_statements s join pg_roles r on r.oid = s.userid \
                     where r.rolname = 'service_role' and query like '%pgrst_call%'";

pub(super) async fn measure(fixture: &Fixture, report: &mut Report) -> Result<(), Error> {
    for n in 0..50 {
        let step = if n % 2 == 0 {
            json!({"name": "s", "tool": "sleep", "inputs": {"seconds": 3600}})
        } else {
            json!({"name": "m", "tool": "manual:bench"})
        };
        fixture.submit(&json!({"goal": "parked", "steps": [step]})).await?;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before: i64 = fixture.sql.query_one(COUNT, &[]).await.map_err(Error::new)?.get(0);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let after: i64 = fixture.sql.query_one(COUNT, &[]).await.map_err(Error::new)?.get(0);
    #[expect(clippy::cast_precision_loss, reason = "a small count")]
    report.put("idle_calls_per_min", (after - before) as f64);
    fixture.sql.batch_execute("delete from nofx.run where goal = 'parked'").await.map_err(Error::new)
}
