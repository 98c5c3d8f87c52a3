//! What an outsider sees where no id is part of the path: lists, summaries, pages. Routes with an id are in `matrix`.

use nofx_tests::{Person, Tenant};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::matrix::{ROLES, belongings, body, operations};

/// Ids and names that no response to an outsider may have.
fn secrets(tenant: &Tenant, run: &Value, own: &Value) -> Vec<String> {
    let of_run = [&run["id"], &run["steps"][0]["id"], &run["gates"][0]["id"], &run["artifacts"][0]["id"]];
    let of_tenant = own.as_object().expect("ids").values();
    let ids = of_run.into_iter().chain(of_tenant).map(|id| id.as_str().expect("an id").to_owned());
    ids.chain([tenant.id.to_string()]).collect()
}

fn check(secrets: &[String], what: &str, answer: &str) {
    for secret in secrets {
        assert!(!answer.contains(secret.as_str()), "{what} shows {secret}: {answer:.2000}");
    }
}

async fn text(request: reqwest::RequestBuilder) -> (StatusCode, String) {
    let response = request.send().await.expect("the API answers");
    (response.status(), response.text().await.unwrap_or_default())
}

#[tokio::test]
async fn an_outsider_finds_nothing_of_another_tenant_in_any_list() {
    let (ours, theirs) = (Tenant::new().await, Tenant::new().await);
    let (run, own) = belongings(&ours).await;
    let (secrets, outsider) = (secrets(&ours, &run, &own), theirs.admin());
    let lists: Vec<_> = operations()
        .await
        .into_iter()
        .filter(|(method, path, _)| *method == Method::GET && !path.contains('{') && !path.ends_with("/stream"))
        .collect();
    assert!(lists.len() >= 20, "the lists were not found: {lists:?}");
    let id = run["id"].as_str().expect("an id");
    for (method, path, operation) in &lists {
        let (status, answer) = text(outsider.request(method.clone(), path)).await;
        assert_eq!(status, StatusCode::OK, "{operation}: {answer}");
        check(&secrets, operation, &answer);
        // Nor when it asks for a run of theirs, where the route knows such a question; a refusal repeats at most what was asked.
        let (status, answer) = text(outsider.request(method.clone(), &format!("{path}?run_id={id}"))).await;
        if status == StatusCode::OK {
            check(&secrets, operation, &answer);
        }
    }
    let (status, answer) = nofx_tests::people::answer(outsider.request(Method::POST, "/api/gates").json(&body("request_gate", &run))).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{answer}");
}

#[tokio::test]
async fn an_outsider_finds_nothing_of_another_tenant_on_any_page() {
    let (ours, theirs) = (Tenant::new().await, Tenant::new().await);
    let (run, own) = belongings(&ours).await;
    let (secrets, outsider) = (secrets(&ours, &run, &own), theirs.admin());
    for path in ["/ui/runs", "/ui/approvals", "/ui/artifacts", "/ui/events", "/ui/system"] {
        let (status, answer) = text(outsider.browse(Method::GET, path)).await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer:.500}");
        check(&secrets, path, &answer);
    }
    let (id, step) = (run["id"].as_str().expect("an id"), run["steps"][0]["id"].as_str().expect("an id"));
    for path in [format!("/ui/runs/{id}"), format!("/ui/runs/{id}?view=graph")] {
        let (status, answer) = text(outsider.browse(Method::GET, &path)).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {answer:.500}");
    }
    // The lines that a page asks for: those of no step.
    let log = format!("/ui/runs/{id}/steps/{step}/log?attempt=1&after=0&line=0");
    assert_eq!(text(outsider.browse(Method::GET, &log)).await, (StatusCode::OK, String::new()));
}

#[tokio::test]
async fn no_token_takes_the_place_of_the_signature_of_a_webhook() {
    let tenant = Tenant::new().await;
    let made = tenant.admin().post("/api/hooks/sources", body("set_webhook_source", &Value::Null)).await.1;
    let path = format!("/api/webhooks/sources/{}", made["id"].as_str().expect("an id"));
    let people = ROLES.map(|role| tenant.person(role)).into_iter().chain([Person::with_token("")]);
    for person in people {
        assert_eq!(person.post(&path, json!({"action": "opened"})).await.0, StatusCode::UNAUTHORIZED);
    }
}
