//! Claims and settles at once: a tenant's quota of parallel sandboxes is never exceeded, no step is forgotten, and nobody waits for a lock.

use nofx_tests::own::Own;
use nofx_tests::sealing::BRING_KEY;
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

/// Settles and claims as a worker of this name.
async fn settle(sql: &Client, worker: &str, outcomes: &Value, capacity: i32) -> Vec<Value> {
    let settle = "select nofx.settle_steps($1, $2, $3)::jsonb -> 'claims'";
    let claims: Value = sql.query_one(settle, &[&worker, outcomes, &capacity]).await.expect("no deadlock").get(0);
    claims.as_array().expect("a list").clone()
}

fn done(claims: &[Value]) -> Value {
    claims.iter().map(|claim| json!({"step_id": claim["id"], "token": claim["token"], "kind": "done"})).collect()
}

async fn count(sql: &Client, of: &str) -> i64 {
    sql.query_one(&format!("select count(*) from {of}"), &[]).await.expect("a count").get(0)
}

const RUNNING: &str = "nofx.step where status = 'running'";
const ASIDE: &str = "nofx.step_queue where state = 'quota'";

/// A worker's connection.
async fn worker(stack: &Own) -> Client {
    let sql = stack.sql().await;
    sql.batch_execute("select set_config('request.jwt.claims', '{\"role\": \"service_role\"}', false); set lock_timeout = '60s'")
        .await
        .expect("settings");
    sql.batch_execute(BRING_KEY).await.expect("a key");
    sql
}

async fn submit(sql: &Client, tenant: Uuid, steps: &Value) {
    sql.query("select nofx.create_run($1, '{}', $2, $3)", &[&Uuid::now_v7(), steps, &tenant]).await.expect("a run");
}

#[tokio::test]
async fn two_claims_at_once_start_no_more_programs_than_the_quota() {
    let stack = Own::start(&Own::folder("sandboxes"), &["--workers", "0"]);
    let (one, two) = (worker(&stack).await, worker(&stack).await);
    let tenant = stack.tenant().await;
    one.query("select nofx.set_quota($1, p_parallel_sandboxes => 2)", &[&tenant]).await.expect("a quota");
    let steps: Value = (0..6).map(|n| json!({"name": format!("s{n}"), "tool": "bash"})).collect();
    submit(&one, tenant, &steps).await;

    // The first claim has not ended when the second one comes: it can neither wait for it nor count without it.
    one.batch_execute("begin").await.expect("begun");
    let first = settle(&one, "one", &json!([]), 1).await;
    assert_eq!((first.len(), settle(&two, "two", &json!([]), 5).await.len()), (1, 0));
    assert_eq!(count(&two, ASIDE).await, 0, "it did not decide either");
    one.batch_execute("commit").await.expect("committed");
    let second = settle(&two, "two", &json!([]), 5).await;
    assert_eq!((second.len(), count(&two, RUNNING).await, count(&two, ASIDE).await), (1, 2, 4));

    // A settle that frees a sandbox has not ended when a claim comes: no step is put aside that it would not see.
    submit(&one, tenant, &json!([{"name": "late", "tool": "bash"}])).await;
    one.batch_execute("begin").await.expect("begun");
    assert!(settle(&one, "one", &done(&first), 0).await.is_empty());
    assert_eq!(settle(&two, "two", &json!([]), 5).await.len(), 0);
    assert_eq!(count(&two, "nofx.step_queue d join nofx.step s on s.id = d.step_id and s.name = 'late' where d.state = 'ready'").await, 1);
    one.batch_execute("commit").await.expect("committed");
    assert_eq!(settle(&two, "two", &json!([]), 5).await.len(), 1);
    assert_eq!(count(&two, RUNNING).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_workers_finish_all_steps_of_two_tenants_within_both_quotas() {
    let stack = Own::start(&Own::folder("sandboxes"), &["--workers", "0"]);
    let sql = worker(&stack).await;
    let tenants = [(stack.tenant().await, 3_i32), (Uuid::now_v7(), 2)];
    sql.query("select nofx.create_tenant($1, 'other')", &[&tenants[1].0]).await.expect("a tenant");
    for (tenant, most) in &tenants {
        sql.query("select nofx.set_quota($1, p_parallel_sandboxes => $2)", &[tenant, most]).await.expect("a quota");
        for _ in 0..4 {
            let mut steps = vec![json!({"name": "first", "tool": "bash"})];
            steps.extend((0..10).map(|n| json!({"name": format!("s{n}"), "tool": "bash", "needs": [0]})));
            // A key that runs share: its slots are admitted under locks of their own.
            steps.extend((0..5).map(|n| json!({"name": format!("k{n}"), "tool": "bash", "concurrency_key": "k", "concurrency_limit": 2})));
            submit(&sql, *tenant, &json!(steps)).await;
        }
    }
    let work = async |name: String| {
        let sql = worker(&stack).await;
        let mut claims = vec![];
        let mut most = vec![0; tenants.len()];
        while !claims.is_empty() || count(&sql, "nofx.run where ended_at is null").await > 0 {
            claims = settle(&sql, &name, &done(&claims), 2).await;
            for ((tenant, _), most) in tenants.iter().zip(&mut most) {
                *most = count(&sql, &format!("nofx.step where status = 'running' and tenant_id = '{tenant}'")).await.max(*most);
            }
        }
        most
    };
    let seen = futures::future::join_all((0..8).map(|n| work(format!("w{n}")))).await;
    for most in seen {
        for ((tenant, quota), most) in tenants.iter().zip(most) {
            assert!(most <= i64::from(*quota), "{most} programs of {tenant} ran at once");
        }
    }
    assert_eq!(count(&sql, "nofx.run where status = 'succeeded'").await, 8);
    assert_eq!(count(&sql, "nofx.step_queue").await, 0, "nothing is left behind");
}
