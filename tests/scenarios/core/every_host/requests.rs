use std::collections::BTreeSet;

use nofx_tests::plans::plan;
use nofx_tests::{Person, Tenant};
use reqwest::{Method, header};
use serde_json::{Value, json};

#[tokio::test]
async fn a_request_keeps_its_id_and_a_problem_names_it() {
    let person = Tenant::new().await.viewer();
    let response = person.request(Method::GET, "/api/nowhere").header("x-request-id", "mine-7").send().await.expect("an answer");
    assert_eq!(response.headers()["x-request-id"], "mine-7");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    let problem: Value = response.json().await.expect("a problem");
    assert_eq!((problem["status"].as_u64(), problem["request_id"].as_str()), (Some(404), Some("mine-7")), "{problem}");
    for field in ["type", "title", "detail", "instance"] {
        assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{field} is missing: {problem}");
    }

    let response = person.request(Method::GET, "/api/runs").header("x-request-id", "a\tb").send().await.expect("an answer");
    assert_ne!(response.headers()["x-request-id"], "a\tb", "what is no id is not carried on");
}

#[tokio::test]
async fn a_body_that_is_no_json_or_too_large_is_refused() {
    let person = Tenant::new().await.contributor();
    let send = async |body: String| {
        let request = person.request(Method::POST, "/api/runs").header(header::CONTENT_TYPE, "application/json").body(body);
        let response = request.send().await.expect("an answer");
        (response.status().as_u16(), response.headers()[header::CONTENT_TYPE].to_str().expect("text").to_owned())
    };
    assert_eq!(send("{".to_owned()).await, (400, "application/problem+json".to_owned()));
    assert_eq!(send(format!("\"{}\"", "x".repeat(4 << 20))).await, (413, "application/problem+json".to_owned()));
    let unknown = json!({"plan": {"steps": [{"name": "a", "tool": "noop"}]}, "surprise": 1});
    assert_eq!(send(unknown.to_string()).await, (422, "application/problem+json".to_owned()));
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let person = Tenant::new().await.contributor();
    let run = person.run(plan(vec![json!({"name": "a", "tool": "noop"})])).await;
    let path = format!("/api/runs/{}", run["id"].as_str().expect("an id"));
    let first = person.request(Method::GET, &path).send().await.expect("an answer");
    let tag = first.headers()[header::ETAG].clone();
    let again = person.request(Method::GET, &path).header(header::IF_NONE_MATCH, &tag).send().await.expect("an answer");
    assert_eq!((again.status().as_u16(), again.text().await.expect("nothing")), (304, String::new()));
    let other = person.request(Method::GET, &path).header(header::IF_NONE_MATCH, "\"another\"").send().await.expect("an answer");
    assert_eq!(other.status(), 200);
}

#[tokio::test]
async fn a_browser_of_an_origin_that_is_not_allowed_gets_no_permission() {
    let person = Tenant::new().await.viewer();
    let request = person.request(Method::GET, "/api/runs").header(header::ORIGIN, "https://elsewhere.example");
    let response = request.send().await.expect("an answer");
    assert!(!response.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
}

#[tokio::test]
async fn browsers_may_send_the_headers_that_the_description_names() {
    let person = Person::with_token("");
    let (_, description) = person.get("/api/openapi.json").await;
    let operations = description["paths"].as_object().expect("paths").values().filter_map(Value::as_object).flat_map(|item| item.values());
    let parameters = operations.filter_map(|operation| operation["parameters"].as_array()).flatten();
    let named: BTreeSet<String> =
        parameters.filter(|one| one["in"] == "header").filter_map(|one| Some(one["name"].as_str()?.to_lowercase())).collect();
    assert!(named.contains("last-event-id"), "{named:?}");
    let asked = named.iter().cloned().collect::<Vec<_>>().join(",");
    let preflight = person.request(Method::OPTIONS, "/api/events/stream").header(header::ORIGIN, "https://example.com");
    let preflight = preflight.header("access-control-request-method", "GET").header("access-control-request-headers", asked);
    let response = preflight.send().await.expect("an answer");
    let allowed = response.headers()[header::ACCESS_CONTROL_ALLOW_HEADERS].to_str().expect("text").to_lowercase();
    assert!(named.iter().all(|name| allowed.split(',').any(|one| one == name)), "{named:?}: {allowed}");
}

#[tokio::test]
async fn bare_paths_answer_as_those_below_api_do() {
    let person = Tenant::new().await.admin();
    let id = person.submit(plan(vec![serde_json::json!({"name": "a", "tool": "noop"})])).await;
    let run = format!("/runs/{id}");
    let timeline = format!("/runs/{id}/timeline");
    for path in
        ["/health", "/ready", "/openapi.json", "/schemas/plan.json", "/metrics/summary", "/keys", "/runs", "/events", &run, &timeline]
    {
        let (bare, below) = (person.get(path).await, person.get(&format!("/api{path}")).await);
        assert_eq!((bare.0.as_u16(), below.0.as_u16()), (200, 200), "{path}: {} {}", bare.1, below.1);
    }
    let (status, answer) = person.get("/api/runs?limit=1").await;
    assert_eq!(
        (status.as_u16(), answer["data"].as_array().map(Vec::len)),
        (200, Some(1)),
        "what a rewrite appends does not matter: {answer}"
    );
}
