use std::time::Duration;

use nofx_tests::fakes::models::{Fault, Providers};
use nofx_tests::own::Own;
use nofx_tests::people::step;
use nofx_tests::stack::root;
use reqwest::Method;
use serde_json::{Value, json};

/// A stack whose worker calls the stand-ins.
async fn stack(name: &str) -> (Own, Providers) {
    stack_with(name, &[]).await
}

async fn stack_with(name: &str, more: &[(&str, &str)]) -> (Own, Providers) {
    let providers = Providers::start().await;
    let mut settings = providers.settings();
    settings.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    (Own::start_with(&Own::folder(name), &["--workers", "1"], &settings), providers)
}

#[expect(clippy::needless_pass_by_value, reason = "takes what `json!` makes")]
fn codegen(inputs: Value) -> Value {
    let mut step = json!({"name": "write", "tool": "codegen", "inputs": inputs});
    step["inputs"]["path"] = step["inputs"]["path"].take();
    if step["inputs"]["path"].is_null() {
        step["inputs"].as_object_mut().expect("an object").remove("path");
    }
    json!({"goal": "write", "steps": [step]})
}

async fn events(own: &Own, run: &Value, kind: &str) -> Vec<Value> {
    let page =
        own.call(Method::GET, &format!("/api/runs/{}/timeline", run["id"].as_str().expect("an id")), None).await.expect("a timeline");
    page["data"].as_array().expect("events").iter().filter(|event| event["type"] == kind).map(|event| event["data"].clone()).collect()
}

async fn kept(own: &Own, run: &Value, name: &str) -> (Value, String) {
    let artifact = run["artifacts"].as_array().expect("artifacts").iter().find(|one| one["name"] == name);
    let artifact = artifact.unwrap_or_else(|| panic!("no artifact {name}: {run}")).clone();
    let dev = own.dev();
    let client = nofx_shared::net::client();
    let content = format!("{}/api/artifacts/{}/content", dev["api_url"].as_str().expect("a URL"), artifact["id"].as_str().expect("an id"));
    let answer = client.get(content).bearer_auth(dev["tokens"]["viewer"].as_str().expect("a token")).send().await.expect("an answer");
    let place = answer.headers()["location"].to_str().expect("a URL").to_owned();
    (artifact, client.get(place).send().await.expect("an answer").text().await.expect("text"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wire_format_is_spoken_and_counted_the_same() {
    let (own, providers) = stack("models-formats").await;
    for (provider, model) in
        [("openai", "gpt-5"), ("anthropic", "claude-sonnet-4-6"), ("gemini", "gemini-2.5-pro"), ("compatible", "local/llama")]
    {
        // Text comes in pieces.
        let order = json!([format!("{provider}/{model}")]);
        providers.answers(format!("# From {provider}\n\nö ünïcode"));
        let run = own.run(&codegen(json!({"prompt": format!("say hello, {provider}"), "path": "a.md", "order": order}))).await;
        let outputs = &step(&run, "write")["outputs"];
        assert_eq!((run["status"].as_str(), outputs["model"].as_str()), (Some("succeeded"), Some(model)), "{run}");
        assert!(
            outputs["diff"].as_str().is_some_and(|diff| diff.contains(&format!("+# From {provider}")) && diff.contains("+ö ünïcode")),
            "{run}"
        );
        assert_eq!((&outputs["input_tokens"], &outputs["output_tokens"]), (&json!(100), &json!(20)), "{provider}");
        let emitted = &events(&own, &run, "model.answered").await[0];
        assert_eq!(
            (emitted["cached_tokens"].as_u64(), emitted["cache_hit"].as_bool(), emitted["provider"].as_str()),
            (Some(40), Some(true), Some(provider)),
            "{emitted}"
        );
        assert_eq!(
            emitted["cost_usd"].is_number(),
            provider != "compatible",
            "a model without a price costs nothing that is known: {emitted}"
        );
        // With a schema it comes whole.
        providers.answers(json!({"files": [{"path": "src/x.rs", "content": "fn main() {}\n"}], "summary": "done"}).to_string());
        let run = own.run(&codegen(json!({"prompt": format!("write files, {provider}"), "order": order}))).await;
        assert_eq!(step(&run, "write")["outputs"]["paths"], json!(["src/x.rs"]), "{run}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_model_is_called_when_one_does_not_answer_and_each_failure_is_in_the_event() {
    let (own, providers) = stack("models-faults").await;
    let order = json!(["openai/gpt-5", "anthropic/claude-sonnet-4-6"]);
    let ask = |prompt: &str, order: &Value| codegen(json!({"prompt": prompt, "path": "a.md", "order": order}));
    // However long the five below take, they count together.
    let wide = json!({"target": "provider:openai", "window_s": 3600});
    own.call(reqwest::Method::POST, "/api/breakers", Some(&wide)).await.expect("set");
    for (number, fault) in [Fault::Fails, Fault::Declines, Fault::Malformed, Fault::Busy(50)].into_iter().enumerate() {
        providers.will("openai", &[fault]);
        let run = own.run(&ask(&format!("question {number}"), &order)).await;
        let emitted = events(&own, &run, "model.answered").await;
        let emitted = emitted.first().unwrap_or_else(|| panic!("{fault:?}: {run}"));
        assert_eq!((run["status"].as_str(), emitted["provider"].as_str()), (Some("succeeded"), Some("anthropic")), "{fault:?}: {run}");
        assert_eq!(emitted["fallbacks"][0]["provider"], "openai", "{emitted}");
    }
    // If it is the only one, the step waits for a rate-limited model as long as it says.
    providers.will("openai", &[Fault::Busy(700)]);
    let before = providers.requests().len();
    let run = own.run(&ask("wait for it", &json!(["openai/gpt-5"]))).await;
    let asked: Vec<_> = providers.requests()[before..].iter().map(|one| one.at).collect();
    assert!(run["status"] == "succeeded" && asked.len() == 2 && asked[1] - asked[0] >= Duration::from_millis(700), "{asked:?} {run}");

    // Four failures of five: the breaker of this provider is open for the tenant, and others are called at once.
    let breakers = own.call(reqwest::Method::GET, "/api/breakers", None).await.expect("breakers");
    let openai = breakers["data"].as_array().expect("a list").iter().find(|one| one["target"] == "provider:openai").expect("its breaker");
    assert!(openai["state"] != "closed" && openai["last_error"].is_string(), "{openai}");
    let close = json!({"target": "provider:openai", "close": true, "min_volume": 1000});
    own.call(reqwest::Method::POST, "/api/breakers", Some(&close)).await.expect("closed");

    // A response that broke off is not started again by another model.
    providers.will("openai", &[Fault::Cut]);
    let before = providers.requests().len();
    let run = own.run(&ask("cut", &order)).await;
    assert_eq!((run["status"].as_str(), providers.requests().len()), (Some("failed"), before + 1), "{run}");
    assert!(step(&run, "write")["error"]["message"].as_str().is_some_and(|text| text.contains("cut off")), "{run}");
    // An invalid request is invalid for all models.
    providers.will("gemini", &[Fault::UnknownKey]);
    let run = own.run(&ask("who", &json!(["gemini", "anthropic"]))).await;
    let message = step(&run, "write")["error"]["message"].as_str().unwrap_or_else(|| panic!("{run}")).to_owned();
    assert!(message.contains("HTTP 401") && !message.contains("key-of"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn budgets_hold_keys_are_named_and_nothing_is_bought_twice() {
    let (own, providers) = stack("models-budget").await;
    let mut plan = codegen(json!({"prompt": "hello", "path": "a.md", "order": ["openai/gpt-5"]}));
    plan["steps"] = json!([plan["steps"][0], {"name": "again", "tool": "codegen", "inputs": plan["steps"][0]["inputs"]}]);
    let run = own.run(&plan).await;
    assert_eq!(
        (run["status"].as_str(), providers.requests().len()),
        (Some("succeeded"), 1),
        "the same question of a run is asked once: {run}"
    );
    assert_eq!(step(&run, "again")["outputs"]["replayed"], true);

    plan["budget"] = json!({"usd": 0.0001});
    plan["steps"][0]["inputs"]["prompt"] = json!("something else");
    let run = own.run(&plan).await;
    let message = step(&run, "write")["error"]["message"].as_str().expect("a message").to_owned();
    assert!(message.contains("the limit of the run is 0.0001 USD") && providers.requests().len() == 1, "{message}");
    own.call(Method::POST, "/api/models/settings", Some(&json!({"budget": {"day_tokens": 10}}))).await.expect("set");
    plan.as_object_mut().expect("an object").remove("budget");
    let run = own.run(&plan).await;
    assert!(run.to_string().contains("tokens today") && providers.requests().len() == 1, "{run}");
    let settings = json!({"order": {"codegen": ["gemini/gemini-2.5-flash"]}});
    own.call(Method::POST, "/api/models/settings", Some(&settings)).await.expect("set");

    let other = Own::start(&Own::folder("models-keyless"), &["--workers", "1"]);
    let run = other.run(&codegen(json!({"prompt": "hello", "path": "a.md"}))).await;
    let error = &step(&run, "write")["error"];
    assert!(error["message"].as_str().is_some_and(|text| text.contains("OPENAI_API_KEY")), "{run}");
    assert_eq!(step(&run, "write")["attempt"], 1, "it is not asked again: {run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_gated_codegen_leaves_evidence_diff_provenance_and_bill() {
    let (own, providers) = stack_with("models-example", &[("LLM_ORDER", "compatible")]).await;
    providers.answers("# Welcome\n\n- Control plane\n- Verification\n- Workers");
    let plan: Value =
        serde_json::from_str(&std::fs::read_to_string(root().join("examples/gated-codegen.json")).expect("the example")).expect("JSON");
    let run = own.run(&plan).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    let asked = &providers.requests()[0];
    assert!(asked.body.to_string().contains("Verification") && asked.model == "default", "{asked:?}");
    let gates: Vec<&str> = run["gates"].as_array().expect("gates").iter().filter_map(|gate| gate["gate_type"].as_str()).collect();
    assert_eq!(gates, ["gate:typecheck", "gate:lint", "gate:unit"]);
    let (artifact, diff) = kept(&own, &run, "codegen.diff").await;
    assert!(diff.contains("+++ b/README.md") && diff.contains("+- Verification"), "{diff}");
    let statements = own
        .call(Method::GET, &format!("/api/artifacts/{}/attestations", artifact["id"].as_str().expect("an id")), None)
        .await
        .expect("statements");
    assert_eq!(statements["data"][0]["predicate_type"], "https://slsa.dev/provenance/v1");
    let payload = statements["data"][0]["envelope"]["payload"].as_str().expect("a payload");
    let statement = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, payload).expect("base64");
    let statement: Value = serde_json::from_slice(&statement).expect("JSON");
    assert_eq!(statement["predicate"]["buildDefinition"]["internalParameters"]["model"]["provider"], "compatible", "{statement}");
    let lineage =
        own.call(Method::GET, &format!("/api/runs/{}/lineage", run["id"].as_str().expect("an id")), None).await.expect("a lineage");
    assert!(lineage["nodes"].as_array().expect("nodes").iter().any(|node| node["name"] == "codegen.diff"), "{lineage}");

    let artifacts = run["artifacts"].as_array().expect("artifacts");
    let bill = artifacts.iter().rev().find(|one| one["name"] == "sbom.cdx.json" && one["step_id"] == step(&run, "generate readme")["id"]);
    assert!(bill.is_some(), "{run}");
    let (_, bom) = kept(&own, &json!({"artifacts": [bill]}), "sbom.cdx.json").await;
    nofx_tests::cyclonedx::check(&bom);
    assert!(bom.contains("machine-learning-model") && bom.contains("README.md"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_becomes_a_plan_that_someone_looks_at_before_it_runs() {
    let (own, providers) = stack("models-plan").await;
    let prompt = json!({"prompt": "check that two and two are four", "quality": true});
    let submit =
        async || own.call(Method::POST, "/api/runs", Some(&prompt)).await.expect("a run")["id"].as_str().expect("an id").to_owned();
    // The first response is not a plan: the model receives the faults and corrects it.
    providers.answers(json!({"goal": "add", "steps": [{"name": "add", "tool": "calculator"}]}).to_string());
    let good = json!({"goal": "add", "steps": [{"name": "unit", "tool": "gate:unit", "inputs": {"command": "test $((2 + 2)) = 4"}}]});
    providers.answers(format!("```json\n{good}\n```"));
    let id = submit().await;
    let run = own.wait(&id, |run| run["gates"][0]["status"] == "pending").await;
    let made = &step(&run, "plan")["outputs"];
    assert_eq!(
        (&made["plan"], &made["order"], step(&run, "submit")["status"].as_str()),
        (&good, &json!(["unit"]), Some("waiting")),
        "{run}"
    );
    let asked = providers.requests();
    assert!(asked[0].body.to_string().contains("gate:coverage") && asked[1].body.to_string().contains("unknown tool"), "{asked:?}");
    let count = async || own.sql().await.query_one("select count(*) from nofx.run", &[]).await.expect("a count").get::<_, i64>(0);
    assert_eq!(count().await, 1, "nothing runs unseen");
    let path = format!("/api/gates/{}/approve", run["gates"][0]["id"].as_str().expect("an id"));
    own.call(Method::POST, &path, Some(&json!({}))).await.expect("approved");
    let run = own.wait(&id, nofx_tests::own::is_finished).await;
    let child = step(&run, "submit")["outputs"]["run_id"].as_str().unwrap_or_else(|| panic!("{run}")).to_owned();
    let child = own.wait(&child, nofx_tests::own::is_finished).await;
    assert_eq!((child["status"].as_str(), &child["created_by"]), (Some("succeeded"), &run["created_by"]), "{child}");

    // A tenant may let plans run without review; what the prompt did not allow is refused all the same.
    own.call(Method::POST, "/api/gates/policies", Some(&json!({"tool": "plan:submit"}))).await.expect("a policy");
    let pushes = json!({"goal": "x", "steps": [{"name": "unit", "tool": "gate:unit"}, {"name": "p", "tool": "git:push"}]}).to_string();
    providers.answers(pushes.clone());
    providers.answers(pushes);
    let run = own.wait(&submit().await, nofx_tests::own::is_finished).await;
    assert!(run["status"] == "failed" && step(&run, "plan")["error"].to_string().contains("nothing may be pushed"), "{run}");
    assert_eq!(count().await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_takes_too_long_or_is_cancelled_is_stopped_and_closed() {
    let (own, providers) = stack("models-stopped").await;
    // Longer than any wait here: the response never arrives.
    let late = Fault::Slow(Duration::from_secs(600));
    let mut plan = codegen(json!({"prompt": "slow", "path": "a.md", "order": ["openai"]}));
    let mut timeout_s = 1;
    let run = loop {
        plan["steps"][0]["timeout_s"] = json!(timeout_s);
        providers.will("openai", &[late]);
        let run = own.run(&plan).await;
        assert_eq!((run["status"].as_str(), step(&run, "write")["status"].as_str()), (Some("failed"), Some("timed_out")), "{run}");
        if !providers.requests().is_empty() {
            break run;
        }
        // It timed out before its call.
        timeout_s *= 2;
    };
    assert_eq!(events(&own, &run, "model.failed").await.len(), providers.requests().len(), "it counts against no budget any more");

    plan["steps"][0]["timeout_s"] = json!(600);
    providers.will("openai", &[late]);
    let asked = providers.requests().len();
    let id = own.submit(&plan).await;
    own.wait(&id, |_| providers.requests().len() > asked).await;
    own.call(Method::POST, &format!("/api/runs/{id}/cancel"), Some(&json!({}))).await.expect("cancelled");
    let run = own.wait(&id, nofx_tests::own::is_finished).await;
    assert_eq!(run["status"], "cancelled", "{run}");
    let open: i64 =
        own.sql().await.query_one("select count(*) from nofx.model_call where status = 'reserved'", &[]).await.expect("a count").get(0);
    assert_eq!((open, run["artifacts"].as_array().map(Vec::len)), (0, Some(0)));
}
