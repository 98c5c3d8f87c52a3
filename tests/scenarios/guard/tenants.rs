use nofx_tests::Tenant;
use nofx_tests::plans::{plan, step};
use nofx_tests::stack::STACK;
use serde_json::json;

#[tokio::test]
async fn nothing_of_another_tenant_is_seen_or_changed_on_any_route() {
    let (ours, theirs) = (Tenant::new().await, Tenant::new().await);
    let run = ours.contributor().run(plan(vec![step("bad", "fail", &[], json!({}))])).await;
    let (id, step_id) = (run["id"].as_str().expect("an id"), run["steps"][0]["id"].as_str().expect("an id"));
    let outsider = theirs.admin();
    assert_eq!(outsider.get(&format!("/api/runs/{id}")).await.0, 404);
    assert_eq!(outsider.get("/api/runs").await.1["data"], json!([]));
    assert_eq!(outsider.get(&format!("/api/runs/{id}/timeline")).await.1["data"], json!([]));
    assert_eq!(outsider.get(&format!("/api/runs/{id}/gates")).await.1["data"], json!([]));
    ours.viewer().events("types=run.failed", 1).await;
    assert_eq!(outsider.get("/api/events").await.1["data"], json!([]));
    for path in ["cancel", "pause", "resume", "retry", &format!("steps/{step_id}/retry")] {
        assert_eq!(outsider.post(&format!("/api/runs/{id}/{path}"), json!({})).await.0, 404, "{path}");
    }
    let body = json!({"run_id": id, "step_id": step_id, "gate_type": "manual:x"});
    assert_eq!(outsider.post("/api/gates", body).await.0, 404);
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
