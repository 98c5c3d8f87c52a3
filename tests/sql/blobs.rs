//! Content that is deleted while the same content is stored again.

use nofx_tests::own::Own;
use serde_json::json;
use tokio_postgres::Client;
use uuid::Uuid;

const WORKER: &str = "select set_config('request.jwt.claims', '{\"role\": \"service_role\"}', false)";

/// Saves an artifact of the only step, whose content is at this path.
async fn save(sql: &Client, name: &str, blob: &str) -> Result<(), String> {
    let save = "select nofx.record_artifact(id, lease_token, jsonb_build_object('name', $1::text, 'uri', $1::text, 'blob', $2::text,
        'type', 'text/plain', 'size_bytes', 1, 'hash', 'sha256:' || repeat('a', 64))) from nofx.step";
    let saved = sql.query_one(save, &[&name, &blob]).await;
    saved.map(drop).map_err(|error| error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned()))
}

/// The artifacts of this name lose their row, and maybe their content.
async fn delete(sql: &Client, name: &str) {
    let delete = "select nofx_private.delete_artifacts(array(select id from nofx.artifact where name = $1))";
    sql.query_one(delete, &[&name]).await.expect("deleted");
}

/// What a worker may delete from Storage now.
async fn to_delete(sql: &Client) -> Vec<String> {
    let blobs = "select array(select json_array_elements_text(nofx.blobs_to_delete() -> 'blobs') order by 1)";
    sql.query_one(blobs, &[]).await.expect("an answer").get(0)
}

#[tokio::test]
async fn a_store_and_a_removal_of_the_same_bytes_exclude_each_other() {
    let stack = Own::start(&Own::folder("blobs"), &["--workers", "0"]);
    let (step, sweeper, other) = (stack.sql().await, stack.sql().await, stack.sql().await);
    for sql in [&step, &sweeper, &other] {
        sql.batch_execute(WORKER).await.expect("a worker");
    }
    let (run, tenant) = (Uuid::now_v7(), stack.tenant().await);
    let steps = json!([{"name": "s", "tool": "noop"}]);
    step.query("select nofx.create_run($1, '{}', $2, $3)", &[&run, &steps, &tenant]).await.expect("a run");
    step.query("select nofx.claim_steps('w', 1)", &[]).await.expect("a claim");
    save(&step, "first", "x").await.expect("saved");

    // The last artifact that is known to have the bytes goes while another one is being recorded.
    step.batch_execute("begin").await.expect("begun");
    save(&step, "second", "x").await.expect("saved");
    delete(&other, "first").await;
    assert_eq!(to_delete(&sweeper).await, Vec::<String>::new(), "its artifact cannot be seen yet");
    step.batch_execute("commit").await.expect("saved");
    assert_eq!(to_delete(&sweeper).await, Vec::<String>::new(), "and has the bytes");

    // A removal is leased, and no other worker gets it; whoever stores the bytes meanwhile waits for the lease, and then learns of it.
    delete(&other, "second").await;
    sweeper.batch_execute("begin").await.expect("begun");
    assert_eq!(to_delete(&sweeper).await, ["x"]);
    assert_eq!(to_delete(&other).await, Vec::<String>::new(), "its row is locked");
    let (saved, ()) = tokio::join!(save(&step, "third", "x"), async { sweeper.batch_execute("commit").await.expect("leased") });
    assert_eq!(saved, Err("blob-deleting".to_owned()), "the removal may arrive at any time");
    assert_eq!(to_delete(&other).await, Vec::<String>::new(), "its lease is another worker's");
    save(&step, "third", "x.1").await.expect("at another path");
    assert_eq!(to_delete(&other).await, Vec::<String>::new());
}
