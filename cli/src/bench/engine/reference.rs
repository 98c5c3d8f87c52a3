//! `ref_rpc_ms`, `ref_tx_per_s`: what this machine's PostgREST and Postgres can do at most. The other measures are judged against them.

use std::time::Instant;

use serde_json::json;

use super::fixture::Fixture;
use crate::bench::report::{Report, percentile};
use crate::exit::Error;

const SECONDS: f64 = 4.0;

pub(super) async fn measure(fixture: &Fixture, report: &mut Report) -> Result<(), Error> {
    report.put("ref_rpc_ms", percentile(&mut calls(fixture).await?, 0.5));
    report.put("ref_tx_per_s", transactions(fixture).await? / SECONDS);
    Ok(())
}

/// One after the other, through PostgREST.
async fn calls(fixture: &Fixture) -> Result<Vec<f64>, Error> {
    let mut samples = vec![];
    for n in 0..220 {
        let begin = Instant::now();
        fixture.service.call::<_, i64>("bench_bump", &json!({"p_id": n % 1000 + 1})).await.map_err(Error::new)?;
        if n >= 20 {
            samples.push(begin.elapsed().as_secs_f64() * 1000.0);
        }
    }
    Ok(samples)
}

/// How many, over eight connections, each with rows of its own.
async fn transactions(fixture: &Fixture) -> Result<f64, Error> {
    let mut writers = tokio::task::JoinSet::new();
    for worker in 0..8 {
        let client = fixture.connect().await?;
        writers.spawn(async move {
            let statement = client.prepare("select nofx.bench_bump($1)").await?;
            let (begin, mut count) = (Instant::now(), 0u32);
            while begin.elapsed().as_secs_f64() < SECONDS {
                let id = i32::try_from(count % 125).unwrap_or(0) * 8 + worker + 1;
                client.query_one(&statement, &[&id]).await?;
                count += 1;
            }
            Ok::<u32, tokio_postgres::Error>(count)
        });
    }
    let mut total = 0;
    while let Some(count) = writers.join_next().await {
        total += count.map_err(Error::new)?.map_err(Error::new)?;
    }
    Ok(f64::from(total))
}
