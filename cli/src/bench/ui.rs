//! `nofx bench ui`: how soon pages come: the list of 100,000 runs, and a run of 1,000 steps.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_postgres::NoTls;

use super::report::{Report, percentile};
use super::stack::BenchStack;
use crate::exit::{Error, Exit, Outcome};

const RUNS: i32 = 100_000;
const STEPS: usize = 1_000;
const REQUESTS: usize = 200;

/// Runs of five steps each would take minutes: the list shows runs, and looks at steps of those that failed or wait only.
const SEED: &str = "
    with tenant as (select id from nofx.tenant where name = 'dev'), made as (
      insert into nofx.run (id, tenant_id, goal, status, plan, steps_total, open_steps, error, created_by, created_at, started_at, ended_at)
      select gen_random_uuid(), t.id, 'run ' || n || ' of the bench', (array['succeeded', 'succeeded', 'succeeded', 'failed', 'cancelled'])[n % 5 + 1]::nofx.run_status,
             '{\"goal\": \"bench\", \"steps\": []}', 5, 0,
             case when n % 5 = 3 then jsonb_build_object('step', 'import', 'message', 'it broke') end, 'bench',
             now() - make_interval(secs => n), now() - make_interval(secs => n), now() - make_interval(secs => n - 1)
        from tenant t, generate_series(1, $1) as n returning 1)
    select count(*) from made";

pub(crate) async fn run(as_json: bool) -> Outcome {
    let stack = BenchStack::start().await?;
    let measured = measure(&stack).await;
    stack.stop().await?;
    measured?.print(as_json);
    Ok(Exit::Succeeded)
}

async fn measure(stack: &BenchStack) -> Result<Report, Error> {
    let (sql, connection) = tokio_postgres::connect(&stack.dev.db_url, NoTls).await.map_err(Error::new)?;
    tokio::spawn(connection);
    sql.query_one(SEED, &[&RUNS]).await.map_err(Error::new)?;
    sql.batch_execute("vacuum analyze nofx.run").await.map_err(Error::new)?;
    let client = nofx_shared::net::client();
    let base = &stack.dev.api_url;
    let token = stack.dev.tokens.get("supervisor").cloned().unwrap_or_default();

    let steps: Vec<Value> =
        (0..STEPS).map(|n| json!({"name": format!("step {n}"), "tool": "noop", "needs": if n < 10 { vec![] } else { vec![format!("step {}", n - 10)] }})).collect();
    let made = client.post(format!("{base}/api/runs")).bearer_auth(&token).json(&json!({"plan": {"goal": "a thousand", "steps": steps}}));
    let made: Value = made.send().await.map_err(Error::new)?.json().await.map_err(Error::new)?;
    let run = made["id"].as_str().ok_or_else(|| Error::new(format!("the run was refused: {made}")))?.to_owned();
    loop {
        let shown: Value = client
            .get(format!("{base}/api/runs?limit=1"))
            .bearer_auth(&token)
            .send()
            .await
            .map_err(Error::new)?
            .json()
            .await
            .map_err(Error::new)?;
        if shown["data"][0]["status"] == "succeeded" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut report = Report::default();
    for (name, path) in [
        ("runs", "/ui/runs".to_owned()),
        ("runs_failed", "/ui/runs?status=failed".to_owned()),
        ("runs_goal", "/ui/runs?goal=99999".to_owned()),
        ("run", format!("/ui/runs/{run}")),
        ("run_graph", format!("/ui/runs/{run}?view=graph")),
    ] {
        let mut took = vec![];
        for n in 0..REQUESTS + 10 {
            let began = Instant::now();
            let mut answer = client.get(format!("{base}{path}")).bearer_auth(&token).send().await.map_err(Error::new)?;
            let status = answer.status();
            answer.chunk().await.map_err(Error::new)?;
            // The first ones fill caches.
            if n >= 10 {
                took.push(began.elapsed().as_secs_f64() * 1000.0);
            }
            answer.bytes().await.map_err(Error::new)?;
            if !status.is_success() {
                return Err(Error::new(format!("{path} returned {status}")));
            }
        }
        report.put(&format!("{name}_first_byte_ms_p50"), percentile(&mut took, 0.5));
        report.put(&format!("{name}_first_byte_ms_p95"), percentile(&mut took, 0.95));
    }
    Ok(report)
}
