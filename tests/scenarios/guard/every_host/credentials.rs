use std::time::{Duration, Instant};

use nofx_shared::auth::{Role, sign_for};
use nofx_tests::people::answer;
use nofx_tests::stack::STACK;
use nofx_tests::{Person, Tenant, WAIT_LIMIT};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_request_without_or_with_a_wrong_or_expired_credential_is_401() {
    let tenant = Tenant::new().await;
    let expired = sign_for(STACK.get("jwt_secret"), "p", tenant.id, Role::Admin, -10);
    let forged = sign_for("another secret of at least thirty-two characters", "p", tenant.id, Role::Admin, 60);
    for token in [String::new(), "nonsense".to_owned(), expired, forged, "nofx_unknown".to_owned()] {
        let person = Person::with_token(token.clone());
        for path in ["/api/runs", "/api/events", "/api/events/stream", "/api/metrics/summary", "/api/keys"] {
            let (code, problem) = person.get(path).await;
            assert_eq!((code.as_u16(), problem["status"].as_u64()), (401, Some(401)), "{path} with {token}");
        }
        assert_eq!(person.post("/api/runs", json!({"plan": {"steps": [{"name": "a", "tool": "bash"}]}})).await.0, 401);
    }
    let bare = nofx_shared::net::client().request(Method::GET, format!("{}/api/runs", STACK.get("api_url")));
    assert_eq!(answer(bare).await.0, 401);
}

#[tokio::test]
async fn a_viewer_cannot_submit_and_the_problem_names_the_role() {
    let (code, problem) = Tenant::new().await.viewer().post("/api/runs", json!({"plan": {"steps": [{"name": "a", "tool": "noop"}]}})).await;
    assert_eq!(code, 403);
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("contributor")), "{problem}");
}

#[tokio::test]
async fn an_api_key_works_until_it_is_revoked_and_only_its_hash_is_kept() {
    let tenant = Tenant::new().await;
    let admin = tenant.admin();
    let (code, created) = admin.post("/api/keys", json!({"name": "ci", "role": "contributor"})).await;
    assert_eq!(code, 201, "{created}");
    let key = created["key"].as_str().expect("a key");
    assert_eq!(Person::with_token(key).get("/api/runs").await.0, 200);
    let found =
        STACK.sql().await.query("select 1 from nofx.api_key where hash like '%' || $1 || '%' or prefix = $1", &[&key]).await.expect("rows");
    assert!(found.is_empty());
    assert_eq!(tenant.contributor().post("/api/keys", json!({"name": "x", "role": "admin"})).await.0, 403);
    let (code, _) = answer(admin.request(Method::DELETE, &format!("/api/keys/{}", created["id"].as_str().expect("an id")))).await;
    assert_eq!(code, 204);
    // A process that has just checked it caches it for some seconds.
    let begun = Instant::now();
    while Person::with_token(key).get("/api/runs").await.0 != 401 {
        assert!(begun.elapsed() < WAIT_LIMIT, "it works on");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
