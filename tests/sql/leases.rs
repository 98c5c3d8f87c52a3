//! Leases of steps whose rows others have locked.

use nofx_tests::own::Own;
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn a_lease_whose_row_is_locked_is_valid_and_no_longer_than_before() {
    let stack = Own::start(&Own::folder("leases"), &["--workers", "0"]);
    let (sql, other) = (stack.sql().await, stack.sql().await);
    sql.batch_execute("select set_config('request.jwt.claims', '{\"role\": \"service_role\"}', false)").await.expect("a worker");
    let (run, tenant) = (Uuid::now_v7(), stack.tenant().await);
    let steps = json!([{"name": "free", "tool": "noop"}, {"name": "locked", "tool": "noop"}]);
    sql.query("select nofx.create_run($1, '{}', $2, $3)", &[&run, &steps, &tenant]).await.expect("a run");
    sql.query("select nofx.claim_steps('w', 2)", &[]).await.expect("claims");
    other.batch_execute("begin; select from nofx.step where name = 'locked' for update").await.expect("a lock");
    let extend = "select s.name, e.is_extended
        from (select array_agg(id) as ids, array_agg(lease_token) as tokens from nofx.step) as held
       cross join nofx.extend_leases(held.ids, held.tokens, '2 hours') as e
        join nofx.step s on s.lease_token = e.token order by 1";
    let valid = sql.query(extend, &[]).await.expect("an answer");
    let valid: Vec<(String, bool)> = valid.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(valid, [("free".to_owned(), true), ("locked".to_owned(), false)]);
    let longer = "select array_agg(name order by name) from nofx.step where lease_expires_at > now() + interval '1 hour'";
    let longer: Vec<String> = sql.query_one(longer, &[]).await.expect("names").get(0);
    assert_eq!(longer, ["free"]);
}
