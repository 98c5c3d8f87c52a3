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

#[tokio::test]
async fn every_route_that_changes_something_honours_a_key_or_refuses_it() {
    let tenant = Tenant::new().await;
    let admin = tenant.admin();
    let send = |method: Method, path: &str, key: &str, body: serde_json::Value| {
        answer(admin.request(method, path).header("idempotency-key", key.to_owned()).json(&body))
    };
    for (path, body) in [
        ("/api/secret-rules", json!({"name": "A", "tools": ["bash"]})),
        ("/api/retention/holds", json!({"reason": "because"})),
        ("/api/gates/policies", json!({"tool": "fail"})),
        ("/api/hooks/sources", json!({"name": "x", "provider": "github", "secret": "a secret of the sender"})),
    ] {
        let (first, made) = send(Method::POST, path, "k", body.clone()).await;
        let (again, replayed) = send(Method::POST, path, "k", body).await;
        assert!(first.is_success() && (first, &made) == (again, &replayed), "{path}: {made} {replayed}");
        let (other, problem) = send(Method::POST, path, "k", json!({"reason": "another"})).await;
        assert_eq!((other.as_u16(), problem["type"].as_str()), (422, Some("https://nofx.dev/problems/idempotency-key-reused")), "{path}");
    }
    let (_, holds) = admin.get("/api/retention/holds").await;
    assert_eq!(holds["data"].as_array().map(Vec::len), Some(1), "{holds}");
    let hold = format!("/api/retention/holds/{}", holds["data"][0]["id"].as_str().expect("an id"));
    for _ in 0..2 {
        assert_eq!(send(Method::DELETE, &hold, "k", json!({})).await.0, 204, "the second is the response to the first");
    }
    // Another caller of the tenant gets no response to what it did not send.
    let (other, _) = answer(tenant.supervisor().request(Method::DELETE, &hold).header("idempotency-key", "k").json(&json!({}))).await;
    assert_eq!(other, 422);
    let hook = json!({"name": "h", "phase": "post", "target": {"kind": "webhook", "url": "https://example.com"}});
    for (path, body) in [("/api/keys", json!({"name": "ci", "role": "viewer"})), ("/api/hooks", hook), ("/api/webhooks/github", json!({}))]
    {
        let (status, problem) = send(Method::POST, path, "k", body).await;
        assert!(
            status == 400 && problem["detail"].as_str().is_some_and(|detail| detail.contains("without Idempotency-Key")),
            "{path}: {problem}"
        );
    }
    assert_eq!(admin.get("/api/keys").await.1["data"], json!([]), "nothing was created");
}
