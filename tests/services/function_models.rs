//! Tools whose calls of models the function makes (driver `vercel-function`), and whose other work is the worker's.

use nofx_tests::fakes::models::Providers;
use nofx_tests::own::Own;
use nofx_tests::people::step;
use serde_json::{Value, json};

/// A stack whose API calls the stand-ins, and so does its worker.
async fn stack(name: &str) -> (Own, Providers) {
    let providers = Providers::start().await;
    let mut settings = providers.settings();
    settings.push(("NOFX_SECRET_TOKEN".to_owned(), "hunter2-hunter2".to_owned()));
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    (Own::start_with(&Own::folder(name), &["--workers", "1"], &settings), providers)
}

/// The answers that the function stored.
async fn answers(own: &Own) -> Vec<Value> {
    let rows = own.sql().await.query("select answer::text from nofx_private.function_call order by begun_at", &[]).await.expect("rows");
    rows.iter().map(|row| serde_json::from_str(row.get(0)).expect("JSON")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn codegen_asks_its_model_there_and_writes_its_files_here() {
    let (own, providers) = stack("function-codegen").await;
    providers.answers("# From hunter2-hunter2\n");
    let inputs = json!({"prompt": "write", "path": "a.md", "order": ["anthropic/claude-sonnet-4-6"]});
    let write = json!({"name": "write", "tool": "codegen", "driver": "vercel-function", "secrets": ["TOKEN"], "inputs": inputs});
    let read = json!({"name": "read", "tool": "bash", "needs": ["write"], "inputs": {"script": "cat a.md"}});
    let run = own.run(&json!({"goal": "write", "steps": [write, read]})).await;
    let outputs = &step(&run, "write")["outputs"];
    assert_eq!(
        (run["status"].as_str(), &outputs["provider"], &outputs["paths"]),
        (Some("succeeded"), &json!("anthropic"), &json!(["a.md"])),
        "{run}"
    );
    assert_eq!(
        (&outputs["input_tokens"], &outputs["output_tokens"], outputs["cost_usd"].is_number()),
        (&json!(100), &json!(20), true),
        "{outputs}"
    );
    assert!(step(&run, "read")["outputs"]["stdout"].as_str().is_some_and(|text| text.starts_with("# From ***")), "{run}");
    let answers = answers(&own).await;
    assert_eq!((answers.len(), providers.requests().len()), (1, 1));
    assert!(answers[0]["executed"]["responded"]["text"].as_str().is_some_and(|text| text.starts_with("# From ***")), "{answers:?}");
    assert_eq!(step(&run, "write")["attempts"][0]["isolation"]["driver"], "vercel-function");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_made_of_two_calls_when_the_first_is_invalid() {
    let (own, providers) = stack("function-plan").await;
    providers.answers("{\"goal\": \"g\", \"steps\": []}");
    providers.answers("{\"goal\": \"g\", \"steps\": [{\"name\": \"a\", \"tool\": \"noop\"}]}");
    let make =
        json!({"name": "make", "tool": "plan:make", "driver": "vercel-function", "inputs": {"prompt": "do it", "order": ["openai/gpt-5"]}});
    let run = own.run(&json!({"goal": "plan", "steps": [make]})).await;
    assert_eq!((run["status"].as_str(), &step(&run, "make")["outputs"]["order"]), (Some("succeeded"), &json!(["a"])), "{run}");
    assert_eq!((answers(&own).await.len(), providers.requests().len()), (2, 2));
    let artifact = &run["artifacts"][0];
    assert_eq!(artifact["name"], "plan.json", "the worker saved and signed it: {artifact}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_refuses_fails_the_step_as_it_does_here() {
    let (own, providers) = stack("function-refusal").await;
    providers.will("openai", &[nofx_tests::fakes::models::Fault::UnknownKey]);
    let inputs = json!({"prompt": "write", "path": "a.md", "order": ["openai/gpt-5"]});
    let write = json!({"name": "write", "tool": "codegen", "driver": "vercel-function", "inputs": inputs});
    let run = own.run(&json!({"goal": "write", "steps": [write]})).await;
    let message = step(&run, "write")["error"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("openai/gpt-5 rejected the request: HTTP 401") && !run.to_string().contains("key-of-openai"), "{run}");
}
