use nofx_tests::Tenant;
use nofx_tests::people::{status, step};
use nofx_tests::plans::{bash, plan, step as make, until};
use serde_json::{Value, json};

fn gated() -> Value {
    plan(vec![make("ask", "manual:look", &[], json!({"question": "Go?"})), make("go", "noop", &["ask"], json!({}))])
}

#[tokio::test]
async fn a_pending_approval_blocks_and_the_gated_step_then_really_runs() {
    let tenant = Tenant::new().await;
    let id = tenant.contributor().submit(gated()).await;
    let supervisor = tenant.supervisor();
    let run = supervisor.wait(&id, |run| status(run, "ask") == "waiting").await;
    assert_eq!(status(&run, "go"), "pending");
    let gate = run["gates"][0]["id"].as_str().expect("a gate");

    let (code, decided) = supervisor.post(&format!("/api/gates/{gate}/approve"), json!({"reason": "fine"})).await;
    assert_eq!((code.as_u16(), &decided["status"]), (200, &json!("passed")));

    let run = supervisor.end(&id).await;
    assert_eq!(run["status"], "succeeded");
    assert_eq!(step(&run, "ask")["outputs"]["decision"], "passed");
    assert!(supervisor.run_events(&id).await.contains(&"step.succeeded go".to_owned()));
}

#[tokio::test]
async fn a_refused_approval_fails_the_run_and_blocks_what_needs_it() {
    let tenant = Tenant::new().await;
    let supervisor = tenant.supervisor();
    let id = supervisor.submit(gated()).await;
    let run = supervisor.wait(&id, |run| status(run, "ask") == "waiting").await;
    supervisor.post(&format!("/api/gates/{}/reject", run["gates"][0]["id"].as_str().expect("a gate")), json!({"reason": "no"})).await;
    let run = supervisor.end(&id).await;
    assert_eq!((run["status"].as_str(), status(&run, "ask"), status(&run, "go")), (Some("failed"), "failed", "skipped"));
}

#[tokio::test]
async fn a_gate_is_decided_once_and_by_supervisors_only() {
    let tenant = Tenant::new().await;
    let supervisor = tenant.supervisor();
    let id = supervisor.submit(gated()).await;
    let run = supervisor.wait(&id, |run| status(run, "ask") == "waiting").await;
    let path = format!("/api/gates/{}", run["gates"][0]["id"].as_str().expect("a gate"));
    assert_eq!(tenant.contributor().post(&format!("{path}/approve"), json!({})).await.0, 403);
    assert_eq!(Tenant::new().await.supervisor().post(&format!("{path}/approve"), json!({})).await.0, 404);
    assert_eq!(supervisor.post(&format!("{path}/waive"), json!({})).await.1["title"], "A reason is required");
    assert_eq!(supervisor.post(&format!("{path}/waive"), json!({"reason": "known"})).await.0, 200);
    let (code, problem) = supervisor.post(&format!("{path}/approve"), json!({})).await;
    assert_eq!((code.as_u16(), problem["title"].as_str()), (409, Some("The gate has already been decided")));
}

#[tokio::test]
async fn a_gate_of_a_tool_fails_closed_with_its_evidence() {
    let tenant = Tenant::new().await;
    let person = tenant.contributor();
    let run = person
        .run(plan(vec![
            make("unit", "gate:unit", &[], json!({"command": "exit 3"})),
            make("missing", "gate:lint", &[], json!({"command": "no-such-tool-at-all"})),
            make("go", "noop", &["unit"], json!({})),
        ]))
        .await;
    assert_eq!((run["status"].as_str(), status(&run, "unit"), status(&run, "go")), (Some("failed"), "failed", "skipped"));
    let evidence =
        run["artifacts"].as_array().expect("artifacts").iter().find(|artifact| artifact["name"] == "gate-unit.json").expect("evidence");
    let (code, _) = person.get(&format!("/api/artifacts/{}", evidence["id"].as_str().expect("an id"))).await;
    assert_eq!(code, 200);
}

#[tokio::test]
async fn a_gate_that_failed_blocks_all_that_is_below_it_whatever_its_policy() {
    let tenant = Tenant::new().await;
    let supervisor = tenant.supervisor();
    let gate = |name: &str, tool: &str, inputs: Value| json!({"name": name, "tool": tool, "needs": [], "on_failure": "continue", "inputs": inputs});
    let below = |name: &str, need: &str| json!({"name": name, "tool": "noop", "needs": [need], "on_failure": "continue"});
    let steps = vec![
        gate("unit", "gate:unit", json!({"command": "false"})),
        below("next", "unit"),
        below("beyond", "next"),
        gate("ask", "manual:look", json!({})),
        below("hence", "ask"),
        below("hereafter", "hence"),
        make("aside", "noop", &[], json!({})),
    ];
    let id = tenant.contributor().submit(plan(steps)).await;
    let run = supervisor.wait(&id, |run| status(run, "unit") == "failed" && status(run, "ask") == "waiting").await;
    let asked = run["gates"].as_array().expect("gates").iter().find(|gate| gate["gate_type"] == "manual:look").expect("a gate");
    supervisor.post(&format!("/api/gates/{}/reject", asked["id"].as_str().expect("an id")), json!({"reason": "no"})).await;
    let run = supervisor.end(&id).await;
    assert_eq!((run["status"].as_str(), status(&run, "aside")), (Some("failed"), "succeeded"), "{run}");
    for (name, gate) in [("next", "unit"), ("beyond", "unit"), ("hence", "ask"), ("hereafter", "ask")] {
        assert_eq!(
            (status(&run, name), step(&run, name)["error"]["message"].as_str()),
            ("skipped", Some(format!("blocked by {gate}").as_str()))
        );
    }
}

#[tokio::test]
async fn a_gate_put_before_a_step_holds_it() {
    let tenant = Tenant::new().await;
    let supervisor = tenant.supervisor();
    let folder = tempfile::tempdir().expect("a folder");
    let done = folder.path().join("done");
    let id = supervisor.submit(plan(vec![bash("nap", &until(&done)), make("go", "noop", &["nap"], json!({}))])).await;
    let run = supervisor.wait(&id, |run| status(run, "nap") == "running").await;
    let body = json!({"run_id": id, "step_id": step(&run, "go")["id"], "gate_type": "manual:look"});
    let (code, gate) = supervisor.post("/api/gates", body).await;
    assert_eq!(code, 201, "{gate}");
    std::fs::write(done, "").expect("written");
    // The settle has released dependants by the time that its result is visible.
    let run = supervisor.wait(&id, |run| status(run, "nap") == "succeeded").await;
    assert_eq!(status(&run, "go"), "pending");
    supervisor.post(&format!("/api/gates/{}/approve", gate["id"].as_str().expect("an id")), json!({})).await;
    assert_eq!(supervisor.end(&id).await["status"], "succeeded");
}

#[tokio::test]
async fn gates_are_found_by_the_start_of_their_kind_and_by_whether_they_are_decided() {
    let tenant = Tenant::new().await;
    let (author, supervisor) = (tenant.contributor(), tenant.supervisor());
    let run = author
        .submit(serde_json::json!({"goal": "kinds", "steps": [
            {"name": "unit", "tool": "gate:unit", "inputs": {"command": "true"}}, {"name": "ask", "tool": "manual:ship_it", "inputs": {}}]}))
        .await;
    author.wait(&run, |run| run["steps"][1]["waits_for"] == "gate").await;
    let kinds = async |query: &str| -> Vec<String> {
        let (_, page) = author.get(&format!("/api/gates?{query}")).await;
        page["data"].as_array().expect("gates").iter().map(|gate| gate["gate_type"].as_str().expect("a kind").to_owned()).collect()
    };
    assert_eq!(kinds("decided=true").await, ["gate:unit"]);
    assert_eq!(kinds("decided=false&gate_type=manual:*").await, ["manual:ship_it"]);
    assert_eq!(kinds("gate_type=manual:ship_it").await, ["manual:ship_it"]);
    assert!(
        kinds("gate_type=manual:ship").await.is_empty() && kinds("gate_type=manual:_*").await.is_empty(),
        "no other pattern than a star at the end"
    );
    let (_, waiting) = author.get("/api/gates?status=pending").await;
    let id = waiting["data"][0]["id"].as_str().expect("an id");
    assert_eq!(supervisor.post(&format!("/api/gates/{id}/approve"), serde_json::json!({})).await.0, 200);
    assert_eq!(kinds("decided=true&gate_type=manual:*").await, ["manual:ship_it"]);
}
