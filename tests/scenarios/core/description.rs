#![expect(clippy::disallowed_methods, reason = "runs the linter of descriptions")]

use std::io::{Seek, Write};
use std::process::Command;

use nofx_tests::stack::root;
use nofx_tests::{Person, Tenant};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// Whether spectral finds nothing, not even a hint; and what it says.
fn lint(document: &Value) -> (bool, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("openapi.json");
    std::fs::write(&file, document.to_string()).expect("written");
    let spectral = root().join("node_modules/.bin/spectral");
    let arguments = ["--fail-severity", "hint", "--display-only-failures", "--ruleset"];
    let output = Command::new(spectral).arg("lint").arg(file).args(arguments).arg(root().join("tests/spectral.yaml")).output();
    let output = output.expect("spectral; scripts/bootstrap-dev.sh installs it");
    (output.status.success(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

#[tokio::test]
async fn the_description_breaks_no_rule() {
    let (_, mut document) = Person::with_token("").get("/api/openapi.json").await;
    let (passes, findings) = lint(&document);
    assert!(passes, "{findings}");

    // Each of these is found: the rules are in force.
    document["paths"]["/api/health"]["get"]["description"] = json!("");
    document["paths"]["/api/runs"]["get"]["responses"]["401"] = json!({"description": "Not typed."});
    document["paths"]["/api/runs"]["get"]["responses"]["200"]["content"]["application/json"]["example"]["data"] = json!("no list");
    document["components"]["schemas"]["GatePage"]["properties"]["data"]["items"] = json!({"type": "object", "additionalProperties": true});
    document["components"]["schemas"]["Unused"] = json!({"type": "object"});
    document["components"]["responses"]["Conflict"]["content"] = json!({"text/plain": {"schema": {"type": "string"}}});
    document["components"]["schemas"]["HookTarget"]["oneOf"][0].as_object_mut().expect("a target").remove("title");
    document["paths"]["/api/keys"]["post"]["requestBody"]["content"]["application/json"].as_object_mut().expect("a body").remove("example");
    document["paths"]["/api/ready"]["get"]["responses"]["200"]["content"]["application/json"] = json!({"schema": {"type": "string"}});
    document["paths"]["/api/dlq"]["get"]["summary"] = json!("");
    let (passes, findings) = lint(&document);
    let rules = [
        "alternative-has-title",
        "free-object-is-open",
        "list-is-typed",
        "oas3-unused-component",
        "oas3-valid-media-example",
        "operation-description",
        "operation-has-summary",
        "refusal-is-a-problem",
        "refusal-is-shared",
        "request-has-example",
        "result-has-example",
        "result-is-typed",
    ];
    let silent: Vec<&str> = rules.into_iter().filter(|rule| !findings.contains(rule)).collect();
    assert!(!passes && silent.is_empty(), "not found: {silent:?} in {findings}");
}

/// Whoever copies an example of the description has a request that the API understands.
#[tokio::test]
async fn the_examples_of_requests_are_valid() {
    let tenant = Tenant::new().await;
    let (_, document) = Person::with_token("").get("/api/openapi.json").await;
    let mut sent = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        let Some(mut example) = item["post"].pointer("/requestBody/content/application~1json/example").cloned() else { continue };
        if example.get("tenant_id").is_some() {
            example["tenant_id"] = json!(tenant.id);
        }
        let path = path.replace("{id}", &Uuid::now_v7().to_string());
        let response = nofx_tests::people::answer(tenant.operator(Method::POST, &path).json(&example)).await;
        // Ids and tables of an example exist nowhere, and senders of webhooks sign.
        let names_nothing = response.1["detail"] == "public.invoice: Name a table of your own: schema.table.";
        let is_understood = response.0.is_success() || [401, 404].contains(&response.0.as_u16()) || names_nothing;
        assert!(is_understood, "POST {path} of {example}: {response:?}");
        sent += 1;
    }
    assert!(sent >= 20, "{sent}");
}

/// Whether AsyncAPI's own parser finds nothing, not even a warning; and what it says.
fn parse_events(document: &Value) -> (bool, String) {
    let mut input = tempfile::tempfile().expect("a file");
    input.write_all(document.to_string().as_bytes()).and_then(|()| input.rewind()).expect("written");
    let script = root().join("tests/scenarios/core/asyncapi.mjs");
    let output = Command::new("node").arg(script).current_dir(root()).stdin(input).output().expect("node starts");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test]
async fn the_description_of_the_events_is_valid() {
    let (_, mut document) = Person::with_token("").get("/api/asyncapi.json").await;
    assert_eq!(document["asyncapi"], "3.1.0");
    assert_eq!(parse_events(&document), (true, String::new()));

    document["operations"]["streamEvents"]["action"] = json!("shout");
    let (is_valid, findings) = parse_events(&document);
    assert!(!is_valid && findings.contains("/operations/streamEvents"), "{findings}");
}
