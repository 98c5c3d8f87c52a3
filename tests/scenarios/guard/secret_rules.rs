//! A secret is for the tools that its rule names: whoever may submit a plan does not get a token of a forge with a script.

use nofx_tests::Tenant;
use nofx_tests::plans::plan;
use serde_json::{Value, json};

fn script(secret: &str) -> Value {
    json!({"plan": plan(vec![json!({"name": "a", "tool": "bash", "secrets": [secret], "inputs": {"script": "true"}})])})
}

#[tokio::test]
async fn a_token_of_a_forge_is_for_git_unless_an_admin_says_otherwise() {
    let tenant = Tenant::new().await;
    let (admin, person) = (tenant.admin(), tenant.contributor());
    let (status, problem) = person.post("/api/runs", script("GITHUB_TOKEN")).await;
    let detail = problem["detail"].as_str().unwrap_or_default();
    assert!(status == 422 && detail.contains("may be used by git:*, not by bash") && detail.contains("/api/secret-rules"), "{problem}");

    let (status, set) = admin.post("/api/secret-rules", json!({"name": "GITHUB_TOKEN", "tools": ["git:*", "bash"]})).await;
    assert_eq!((status.as_u16(), &set["rule"]["tools"]), (200, &json!(["git:*", "bash"])), "{set}");
    let (status, run) = person.post("/api/runs", script("GITHUB_TOKEN")).await;
    assert_eq!(status, 201, "{run}");

    assert_eq!(admin.post("/api/secret-rules", json!({"name": "TEST_TOKEN", "tools": ["http"]})).await.0, 200);
    assert_eq!(person.post("/api/runs", script("TEST_TOKEN")).await.0, 422, "a rule also takes");
    let (_, page) = tenant.viewer().get("/api/secret-rules").await;
    let names: Vec<&str> = page["data"].as_array().expect("rules").iter().filter_map(|rule| rule["name"].as_str()).collect();
    assert_eq!(names, ["GITHUB_TOKEN", "TEST_TOKEN"]);

    assert_eq!(admin.post("/api/secret-rules", json!({"name": "TEST_TOKEN", "tools": null})).await.1, json!({"rule": null}));
    assert_eq!(person.post("/api/runs", script("TEST_TOKEN")).await.0, 201, "the default again");
    assert_eq!(admin.post("/api/secret-rules", json!({"name": "TEST_TOKEN"})).await.0, 422, "what is left out removes nothing");
}
