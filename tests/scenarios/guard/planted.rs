//! Rows that nobody could submit. Whatever a row has, the steps of others are claimed, and its own step fails with the reason.

use nofx_tests::people::step;
use nofx_tests::stack::STACK;
use nofx_tests::{Person, Tenant};
use serde_json::json;

/// The error of a step, from the database: the API would have to read what makes the step fail.
async fn error_of(run: &str, name: &str) -> Option<String> {
    let read = "select error ->> 'message' from nofx.step where run_id = $1 and name = $2 and status = 'failed'";
    let run: uuid::Uuid = run.parse().expect("an id");
    STACK.sql().await.query_opt(read, &[&run, &name]).await.expect("a step")?.get(0)
}

async fn probe(person: &Person) {
    let steps = json!([{"name": "a", "tool": "noop"}, {"name": "b", "tool": "noop", "inputs": {"x": "${{ steps.a.status }}"}}]);
    let run = person.run(json!({"goal": "probe", "steps": steps})).await;
    assert_eq!(run["status"], "succeeded", "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spec_that_cannot_be_read_fails_its_step_alone() {
    let (tenant, other) = (Tenant::new().await, Tenant::new().await);
    let hostile = [
        json!({"refs": 1}),
        json!({"refs": {"a": 1}}),
        json!({"approval": {"role": "x"}}),
        json!({"approval": {"count": "many"}}),
        json!({"approval": {"count": 1e99}}),
        json!({"for_each": 1}),
        json!({"for_each": []}),
        json!({"if": {}}),
        json!({"inputs": 1}),
        json!({"env": []}),
        json!({"secrets": "A"}),
        json!({"retry": {"factor": {}}, "driver": "host"}),
        json!([]),
        json!("x"),
        json!(1),
        json!(null),
    ];
    let steps: Vec<_> = hostile.iter().enumerate().map(|(n, spec)| (format!("s{n}"), "noop", spec.clone())).collect();
    let id = tenant.plant(&steps).await;
    probe(&other.contributor()).await;
    let run = tenant.contributor().end(&id).await;
    for (name, _, spec) in &steps {
        let failed = step(&run, name);
        assert_eq!(failed["status"], "failed", "{spec}: {failed}");
        let attempts = failed["attempts"].as_array().expect("attempts");
        assert!(attempts.len() == 1 && attempts[0]["outcome"] == "failed", "{spec}: no lease expired: {failed}");
        assert!(failed["error"]["message"].as_str().is_some_and(|why| why.contains("cannot be read")), "{spec}: {failed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_row_has_lifts_a_hold() {
    let tenant = Tenant::new().await;
    tenant.admin().post("/api/gates/policies", json!({"tool": "noop", "approval": {"role": "supervisor"}})).await;
    let planted = [json!({"for_each": null}), json!({"approval": []}), json!({"approval": false})];
    let steps: Vec<_> = planted.iter().enumerate().map(|(n, spec)| (format!("s{n}"), "noop", spec.clone())).collect();
    let id = tenant.plant(&steps).await;
    let waits = |run: &serde_json::Value| steps.iter().all(|(name, ..)| step(run, name)["waits_for"] == "gate");
    let run = tenant.contributor().wait(&id, waits).await;
    assert_eq!(run["gates"].as_array().map(Vec::len), Some(planted.len()), "each waits for its approval: {run}");
}

/// JSON of that many lists in each other.
fn nested(levels: usize) -> String {
    format!("{}1{}", "[".repeat(levels), "]".repeat(levels))
}

#[tokio::test(flavor = "multi_thread")]
async fn outputs_that_no_reader_takes_fail_the_step_that_refers_to_them_alone() {
    let (tenant, other) = (Tenant::new().await, Tenant::new().await);
    let person = tenant.contributor();
    let uses = json!({"name": "uses", "tool": "noop", "needs": ["asks"], "inputs": {"x": "${{ size(steps.makes.outputs) }}"}});
    let asks = json!({"name": "asks", "tool": "manual:x", "needs": ["makes"]});
    let id = person.submit(json!({"goal": "x", "steps": [{"name": "makes", "tool": "noop"}, asks, uses]})).await;
    let run = person.wait(&id, |run| step(run, "asks")["waits_for"] == "gate").await;
    let gate = run["gates"][0]["id"].as_str().expect("a gate").to_owned();
    let plant = format!("update nofx.step set outputs = '{}' where run_id = '{id}' and name = 'makes'", nested(140));
    STACK.sql().await.batch_execute(&plant).await.expect("planted");
    tenant.supervisor().post(&format!("/api/gates/{gate}/approve"), json!({})).await;
    probe(&other.contributor()).await;
    let finished = format!("run_id={id}&types=run.failed");
    tenant.viewer().events(&finished, 1).await;
    let why = error_of(&id, "uses").await.expect("it failed");
    assert!(why.contains("cannot be read") && why.contains("recursion"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn outputs_are_nested_at_most_64_levels() {
    let tenant = Tenant::new().await;
    let writes = |name: &str, levels: usize| {
        let script = format!("printf '{{\"x\": %s}}' '{}' > \"$NOFX_OUTPUT\"", nested(levels));
        json!({"name": name, "tool": "bash", "needs": [], "on_failure": "continue", "inputs": {"script": script}})
    };
    let run = tenant.contributor().run(json!({"goal": "x", "steps": [writes("most", 63), writes("more", 64), writes("far", 120)]})).await;
    assert_eq!(step(&run, "most")["status"], "succeeded", "{run}");
    for name in ["more", "far"] {
        let failed = step(&run, name);
        assert!(failed["error"]["message"].as_str().is_some_and(|why| why.contains("64 levels")), "{failed}");
        assert_eq!(failed["attempts"].as_array().map(Vec::len), Some(1), "it is not tried again");
    }
}
