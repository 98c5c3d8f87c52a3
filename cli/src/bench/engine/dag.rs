//! `dag_steps_per_s`: 1,000 runs of 1 → 8 → 1 no-op steps at once; `dag_steps_per_s_pinned`: again while a session holds an old snapshot.

use std::cell::Cell;
use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::{Value, json};

use super::fixture::{Fixture, Memory};
use crate::bench::report::Report;
use crate::exit::Error;

/// The largest memory seen.
pub(super) async fn measure(fixture: &Fixture, report: &mut Report) -> Result<Memory, Error> {
    let (rate, peak) = run_all(fixture).await?;
    report.put("dag_steps_per_s", rate);
    Ok(peak)
}

pub(super) async fn measure_pinned(fixture: &Fixture, report: &mut Report) -> Result<(), Error> {
    let pin = fixture.connect().await?;
    pin.batch_execute("begin isolation level repeatable read; select 1 from nofx.tenant limit 1").await.map_err(Error::new)?;
    let (rate, _) = run_all(fixture).await?;
    report.put("dag_steps_per_s_pinned", rate);
    Ok(())
}

/// Steps a second, and the largest memory seen.
async fn run_all(fixture: &Fixture) -> Result<(f64, Memory), Error> {
    let plan = plan();
    let before = settled(fixture).await?;
    let begin = Instant::now();
    let peak = Cell::new(Memory { worker_mb: 0.0, api_mb: 0.0 });
    let watching = async {
        loop {
            peak.set(peak.get().max(fixture.memory()));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let submitting = async {
        let mut posts = futures::stream::iter((0..1000).map(|_| fixture.submit(&plan))).buffer_unordered(32);
        while let Some(posted) = posts.next().await {
            posted?;
        }
        fixture.wait_until_idle(Duration::from_millis(20)).await
    };
    tokio::select! { done = submitting => done?, () = watching => {} }
    let seconds = begin.elapsed().as_secs_f64();
    let after = settled(fixture).await?;
    #[expect(clippy::cast_precision_loss, reason = "a count of a bench")]
    Ok(((after - before) as f64 / seconds, peak.get()))
}

fn plan() -> Value {
    let mut steps = vec![json!({"name": "first", "tool": "noop", "needs": []})];
    steps.extend((0..8).map(|n| json!({"name": format!("middle{n}"), "tool": "noop", "needs": ["first"]})));
    let all: Vec<String> = (0..8).map(|n| format!("middle{n}")).collect();
    steps.push(json!({"name": "last", "tool": "noop", "needs": all}));
    json!({"goal": "dag", "steps": steps})
}

async fn settled(fixture: &Fixture) -> Result<i64, Error> {
    let row = fixture.sql.query_one("select count(*) from nofx.step where ended_at is not null", &[]).await.map_err(Error::new)?;
    Ok(row.get(0))
}
