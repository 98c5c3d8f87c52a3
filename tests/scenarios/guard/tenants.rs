use nofx_tests::Tenant;
use nofx_tests::plans::{plan, step};
use nofx_tests::stack::STACK;
use serde_json::json;

#[tokio::test]
async fn nothing_of_another_tenant_is_seen_or_changed_on_any_route() {
    let (ours, theirs) = (Tenant::new().await, Tenant::new().await);
    let run = ours.contributor().run(plan(vec![step("bad", "fail", &[], json!({}))])).await;
    let (id, step_id) = (run["id"].as_str().expect("an id"), run["steps"][0]["id"].as_str().expect("an id"));
    let stranger = theirs.admin();
    assert_eq!(stranger.get(&format!("/api/runs/{id}")).await.0, 404);
    assert_eq!(stranger.get("/api/runs").await.1["data"], json!([]));
    assert_eq!(stranger.get(&format!("/api/runs/{id}/timeline")).await.1["data"], json!([]));
    assert_eq!(stranger.get(&format!("/api/runs/{id}/gates")).await.1["data"], json!([]));
    assert_eq!(stranger.get("/api/events").await.1["data"], json!([]));
    for path in ["cancel", "pause", "resume", "retry", &format!("steps/{step_id}/retry")] {
        assert_eq!(stranger.post(&format!("/api/runs/{id}/{path}"), json!({})).await.0, 404, "{path}");
    }
    let body = json!({"run_id": id, "step_id": step_id, "gate_type": "manual:x"});
    assert_eq!(stranger.post("/api/gates", body).await.0, 404);
}

#[tokio::test]
async fn no_table_shows_a_row_of_another_tenant_and_none_can_be_written() {
    let (ours, theirs) = (Tenant::new().await, Tenant::new().await);
    ours.contributor().run(plan(vec![step("a", "noop", &[], json!({})), step("b", "noop", &["a"], json!({}))])).await;
    let tables = STACK
        .sql()
        .await
        .query("select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'nofx' and c.relkind in ('r', 'p') and not c.relispartition and c.relname not like 'bench%'", &[])
        .await
        .expect("tables");
    assert!(tables.len() >= 12);
    let client = nofx_shared::net::client();
    for row in tables {
        let table: String = row.get(0);
        let request = client
            .get(format!("{}/{table}?select=*", STACK.get("rest_url")))
            .bearer_auth(&theirs.admin().token)
            .header("accept-profile", "nofx");
        let (status, rows) = nofx_tests::people::answer(request).await;
        if status == 200 && table != "transition" {
            let strangers = rows.as_array().expect("rows").iter().filter(|row| {
                let tenant = if table == "tenant" { &row["id"] } else { &row["tenant_id"] };
                // Common policies belong to nobody.
                tenant.as_str() != Some(theirs.id.to_string().as_str()) && !(table == "gate_policy" && tenant.is_null())
            });
            assert_eq!(strangers.count(), 0, "{table} shows rows of other tenants");
        }
        let write = client
            .delete(format!("{}/{table}?tenant_id=eq.{}", STACK.get("rest_url"), theirs.id))
            .bearer_auth(&theirs.admin().token)
            .header("content-profile", "nofx");
        assert!(nofx_tests::people::answer(write).await.0.is_client_error(), "{table} can be written");
    }
}

#[tokio::test]
async fn the_service_role_cannot_go_around_the_functions() {
    for table in ["run", "step"] {
        let request = nofx_shared::net::client()
            .patch(format!("{}/{table}?id=eq.{}", STACK.get("rest_url"), uuid::Uuid::now_v7()))
            .bearer_auth(STACK.get("service_role_key"))
            .header("content-profile", "nofx")
            .json(&json!({"status": "succeeded"}));
        assert_eq!(nofx_tests::people::answer(request).await.0, 403, "{table}");
    }
}
