use nofx_tests::Tenant;
use nofx_tests::people::answer;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn the_same_request_under_the_same_key_is_done_once() {
    let person = Tenant::new().await.contributor();
    let body = json!({"plan": {"goal": "once", "steps": [{"name": "a", "tool": "noop"}]}});
    let send = |body: serde_json::Value| answer(person.request(Method::POST, "/api/runs").header("idempotency-key", "\"k-1\"").json(&body));
    let (first, run) = send(body.clone()).await;
    let (second, again) = send(body).await;
    assert_eq!((first.as_u16(), second.as_u16(), &run["id"]), (201, 201, &again["id"]));
    let (other, problem) = send(json!({"plan": {"steps": [{"name": "b", "tool": "noop"}]}})).await;
    assert_eq!(other, 422, "{problem}");
    assert_eq!(person.get("/api/runs").await.1["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_whatever_the_request_is() {
    let person = Tenant::new().await.contributor();
    let body = json!({"plan": {"goal": "once", "steps": [{"name": "a", "tool": "noop"}]}});
    for path in ["/api/runs", "/api/runs?dry_run=true"] {
        for key in ["", "\"\"", &"k".repeat(256)] {
            let (status, problem) = answer(person.request(Method::POST, path).header("idempotency-key", key).json(&body)).await;
            assert_eq!(status, 400, "{path} {key:.3}: {problem}");
        }
    }
    assert_eq!(person.get("/api/runs").await.1["data"], json!([]), "nothing was created");
}
