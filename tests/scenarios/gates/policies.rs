use nofx_tests::people::{service, status, step};
use nofx_tests::plans::{plan, step as make};
use nofx_tests::stack::{STACK, workspace};
use nofx_tests::{Person, Tenant};
use serde_json::{Value, json};

async fn waiting(person: &Person, id: &str) -> Value {
    person.wait(id, |run| run["gates"].as_array().is_some_and(|gates| gates.iter().any(|gate| gate["status"] == "pending"))).await
}

async fn decide(person: &Person, run: &Value, decision: &str) -> (u16, Value) {
    let gates = run["gates"].as_array().expect("gates");
    let gate = gates.iter().find(|gate| gate["status"] == "pending").unwrap_or(&gates[0]);
    let path = format!("/api/gates/{}/{decision}", gate["id"].as_str().expect("an id"));
    let (code, answer) = person.post(&path, json!({"reason": "because"})).await;
    (code.as_u16(), answer)
}

#[tokio::test]
async fn two_people_who_did_not_submit_the_run_must_approve() {
    let tenant = Tenant::new().await;
    let (author, ann, bob) = (tenant.supervisor(), tenant.supervisor(), tenant.admin());
    let mut guarded = make("go", "bash", &[], json!({"script": "echo went"}));
    guarded["approval"] = json!({"role": "supervisor", "count": 2, "expires_s": 86400});
    let id = author.submit(plan(vec![guarded])).await;
    let run = waiting(&author, &id).await;
    assert_eq!(
        (status(&run, "go"), &run["gates"][0]["approvals_required"], &run["gates"][0]["gate_type"]),
        ("waiting", &json!(2), &json!("manual:approval"))
    );

    let (_, queue) = ann.get("/api/gates?status=pending").await;
    assert_eq!(
        (queue["data"][0]["run"]["goal"].as_str(), queue["data"][0]["step"]["inputs"]["script"].as_str()),
        (Some("test"), Some("echo went"))
    );
    assert_eq!(decide(&author, &run, "approve").await.1["title"], "You cannot approve your own run");
    assert_eq!(decide(&author, &run, "waive").await.0, 403);
    let (code, gate) = decide(&ann, &run, "approve").await;
    assert_eq!((code, gate["status"].as_str(), gate["decisions"].as_array().map(Vec::len)), (200, Some("pending"), Some(1)));
    assert_eq!((&gate["approved_by"], &gate["decided_by"]), (&gate["decisions"][0]["by"], &Value::Null), "the last approval, of two");
    assert!(gate["approved_at"].is_string(), "{gate}");
    assert_eq!(decide(&ann, &run, "approve").await.1["title"], "You have already approved this gate");
    assert_eq!(decide(&tenant.contributor(), &run, "approve").await.0, 403);
    assert_eq!(decide(&Tenant::new().await.supervisor(), &run, "approve").await.0, 404);
    let (_, gate) = decide(&bob, &run, "approve").await;
    assert_eq!((gate["status"].as_str(), &gate["approved_by"]), (Some("passed"), &gate["decisions"][1]["by"]), "{gate}");
    assert_eq!((&gate["approved_by"], &gate["approved_at"]), (&gate["decided_by"], &gate["decided_at"]), "{gate}");
    assert_eq!(decide(&bob, &run, "reject").await.1["title"], "The gate has already been decided");

    let run = author.end(&id).await;
    assert_eq!((run["status"].as_str(), run["gates"][0]["decisions"].as_array().map(Vec::len)), (Some("succeeded"), Some(2)));
    let emitted = author.run_events(&id).await;
    for event in ["gate.requested go", "gate.approval_added", "gate.decided", "step.succeeded go"] {
        assert!(emitted.contains(&event.to_owned()), "{event} is not in {emitted:?}");
    }
}

#[tokio::test]
async fn an_approval_that_is_not_given_in_time_fails_closed() {
    let tenant = Tenant::new().await;
    let supervisor = tenant.supervisor();
    let mut guarded = make("go", "manual:deploy", &[], json!({}));
    guarded["approval"] = json!({"expires_s": 86400});
    let id = tenant.contributor().submit(plan(vec![guarded, make("after", "noop", &["go"], json!({}))])).await;
    waiting(&supervisor, &id).await;
    // Only this gate expires; the next call that expires gates finds it.
    let over = format!(
        "update nofx.gate set expires_at = now() where run_id = '{id}'; update nofx.step_queue set due_at = now() where run_id = '{id}'"
    );
    STACK.sql().await.batch_execute(&over).await.expect("its day is over");
    service().call::<_, Value>("fire_timers", &json!({})).await.expect("a look");
    let run = supervisor.end(&id).await;
    assert_eq!((run["status"].as_str(), status(&run, "go"), status(&run, "after")), (Some("failed"), "failed", "skipped"));
    assert!(step(&run, "go")["error"]["message"].as_str().is_some_and(|text| text.contains("expired")), "{run}");
    assert_eq!(decide(&supervisor, &run, "approve").await.1["title"], "The gate has expired");

    // Retrying opens a new gate.
    supervisor.post(&format!("/api/runs/{id}/retry"), json!({})).await;
    let run = waiting(&supervisor, &id).await;
    assert_eq!(decide(&supervisor, &run, "approve").await.0, 200);
    assert_eq!(supervisor.end(&id).await["status"], "succeeded");
}

#[tokio::test]
async fn a_requested_gate_expires_as_the_policy_says() {
    let tenant = Tenant::new().await;
    let (supervisor, admin) = (tenant.supervisor(), tenant.admin());
    let policy = json!({"tool": "noop", "approval": {"expires_s": 3600, "count": 2}});
    assert_eq!(admin.post("/api/gates/policies", policy).await.0, 200);
    let id = tenant
        .contributor()
        .submit(plan(vec![make("first", "manual:look", &[], json!({})), make("go", "noop", &["first"], json!({}))]))
        .await;
    let run = waiting(&supervisor, &id).await;
    let body = json!({"run_id": id, "step_id": step(&run, "go")["id"], "gate_type": "manual:sure"});
    let (code, gate) = supervisor.post("/api/gates", body).await;
    assert_eq!((code.as_u16(), gate["approvals_required"].as_u64()), (201, Some(2)), "{gate}");
    let at = |time: &Value| chrono::DateTime::parse_from_rfc3339(time.as_str().expect("a time")).expect("a time");
    assert_eq!((at(&gate["expires_at"]) - at(&gate["created_at"])).num_seconds(), 3600, "{gate}");
    let over = format!(
        "update nofx.gate set expires_at = now() where id = '{}'; update nofx.step_queue set due_at = now() where run_id = '{id}'",
        gate["id"].as_str().expect("an id")
    );
    STACK.sql().await.batch_execute(&over).await.expect("its hour is over");
    service().call::<_, Value>("fire_timers", &json!({})).await.expect("a look");
    let (_, gate) = supervisor.get(&format!("/api/gates/{}", gate["id"].as_str().expect("an id"))).await;
    assert_eq!(gate["status"], "expired");
    assert_eq!(decide(&supervisor, &run, "approve").await.0, 200);
    let run = supervisor.end(&id).await;
    assert_eq!((run["status"].as_str(), status(&run, "go")), (Some("failed"), "failed"), "{run}");
    assert!(step(&run, "go")["error"]["message"].as_str().is_some_and(|text| text.contains("expired")), "{run}");
}

#[tokio::test]
async fn a_policy_keeps_a_tool_from_running_before_its_gates_have_passed() {
    let tenant = Tenant::new().await;
    let admin = tenant.admin();
    let wanted = json!({"tool": "bash", "requires": ["gate:unit"]});
    assert_eq!(tenant.supervisor().post("/api/gates/policies", wanted.clone()).await.0, 403);
    let (code, policy) = admin.post("/api/gates/policies", wanted).await;
    assert_eq!((code.as_u16(), &policy["requires"]), (200, &json!(["gate:unit"])), "{policy}");
    let person = tenant.contributor();
    let go = |needs: &[&str]| make("go", "bash", needs, json!({"script": "touch went"}));
    let went = |run: &Value| workspace(run["id"].as_str().expect("an id")).join("went").exists();
    let run = person.run(plan(vec![go(&[])])).await;
    assert_eq!(run["status"], "failed");
    assert!(step(&run, "go")["error"]["message"].as_str().is_some_and(|text| text.contains("requires gate:unit")), "{run}");
    assert!(!went(&run), "it did not run");
    // The gate passes, and says nothing of what the policy asks.
    let unit = make("unit", "gate:unit", &[], json!({"command": "true"}));
    let run = person.run(plan(vec![unit.clone(), go(&["unit"])])).await;
    let message = step(&run, "go")["error"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(status(&run, "unit") == "succeeded" && message.contains("command: `true`") && message.contains("min_tests: 0"), "{run}");
    assert!(!went(&run), "it did not run");
    // An exception is the tenant's, and the evidence says whose.
    let asks = json!({"gate": "gate:unit", "command": "true", "min_tests": 0});
    let (code, own) = admin.post("/api/gates/policies", json!({"tool": "bash", "requires": [asks]})).await;
    assert_eq!((code.as_u16(), &own["requires"]), (200, &json!([asks])), "{own}");
    let run = person.run(plan(vec![unit, go(&["unit"])])).await;
    assert!(run["status"] == "succeeded" && went(&run), "{run}");
    let evidence = person.evidence(&run, "unit").await;
    let policies = evidence["policies"].as_array().expect("policies");
    let ours = policies.iter().find(|one| one["tool"] == "bash").expect("the tenant's");
    assert_eq!((&ours["asks"], &ours["changed_by"], &ours["id"]), (&asks, &own["changed_by"], &own["id"]), "{evidence}");
    assert!(policies.iter().any(|one| one["tool"] == "git:push" && one["tenant_id"].is_null()), "the default, too: {evidence}");
    // Other tools are not concerned, and a deleted policy holds no steps.
    assert_eq!(
        Tenant::new().await.contributor().run(plan(vec![make("go", "bash", &[], json!({"script": "true"}))])).await["status"],
        "succeeded"
    );
    let id = policy["id"].as_str().expect("an id");
    assert_eq!(admin.request(reqwest::Method::DELETE, &format!("/api/gates/policies/{id}")).send().await.expect("an answer").status(), 204);
    assert_eq!(person.run(plan(vec![make("go", "bash", &[], json!({"script": "true"}))])).await["status"], "succeeded");
}

#[tokio::test]
async fn a_deployment_is_approved_by_someone_else_unless_the_tenant_says_otherwise() {
    let tenant = Tenant::new().await;
    let author = tenant.supervisor();
    let deploy = || plan(vec![make("ship", "manual:deploy", &[], json!({}))]);
    let id = author.submit(deploy()).await;
    let run = waiting(&author, &id).await;
    assert_eq!(decide(&author, &run, "approve").await.0, 403);
    let own = json!({"tool": "manual:deploy", "approval": {"author_may_approve": true}});
    assert_eq!(tenant.admin().post("/api/gates/policies", own).await.0, 200);
    let id = author.submit(deploy()).await;
    let run = waiting(&author, &id).await;
    assert_eq!(decide(&author, &run, "approve").await.0, 200);
    let (code, problem) = tenant.admin().post("/api/gates/policies", json!({"tool": "bash", "approval": {"people": 2}})).await;
    assert_eq!(code, 422, "{problem}");
    let wrong = [
        json!(["unit"]),
        json!([{"gate": "gate:unit", "threshold": 90}]),
        json!([{"gate": "gate:coverage", "threshold": 101}]),
        json!([{"gate": "gate:lint", "fail_on": "never"}]),
        json!([{"gate": "gate:e2e_smoke"}]),
    ];
    for requires in wrong {
        let (code, problem) = tenant.admin().post("/api/gates/policies", json!({"tool": "bash", "requires": requires})).await;
        assert_eq!((code.as_u16(), problem["title"].as_str()), (422, Some("Invalid gate policy")), "{requires}");
    }
    for requires in
        [json!([{"gate": "gate:unit", "comand": "x"}]), json!([{"gate": "gate:unit", "min_tests": "1"}]), json!(["gate:unit", null])]
    {
        let (code, problem) = tenant.admin().post("/api/gates/policies", json!({"tool": "bash", "requires": requires})).await;
        assert_eq!(code, 422, "{requires}: {problem}");
    }
}

#[tokio::test]
async fn a_key_is_its_maker_and_no_second_person() {
    let tenant = Tenant::new().await;
    let (ann, bob) = (tenant.admin(), tenant.admin());
    let key = async |maker: &Person| {
        let (code, made) = maker.post("/api/keys", json!({"name": "ci", "role": "admin"})).await;
        assert_eq!(code, 201, "{made}");
        Person::with_token(made["key"].as_str().expect("a key"))
    };
    let (submits, approves) = (key(&ann).await, key(&ann).await);
    let guarded = || {
        let mut go = make("go", "noop", &[], json!({}));
        go["approval"] = json!({"count": 2});
        plan(vec![go])
    };
    let id = submits.submit(guarded()).await;
    let run = waiting(&ann, &id).await;
    assert_eq!(decide(&ann, &run, "approve").await.1["title"], "You cannot approve your own run", "the key is hers");
    let (code, problem) = decide(&approves, &run, "approve").await;
    assert!(code == 403 && problem["detail"].as_str().is_some_and(|why| why.contains("sign in")), "{problem}");
    let (_, queue) = approves.get("/api/gates?waits_for_me=true").await;
    assert_eq!(queue["data"], json!([]), "a key is not asked");
    assert_eq!(decide(&bob, &run, "approve").await.0, 200);
    let bobs = key(&bob).await;
    assert_eq!(decide(&bobs, &run, "approve").await.0, 403);
    assert_eq!(decide(&bobs, &run, "reject").await.0, 200, "a key may say no");

    // Nor does a key set the policy that would let it.
    let (code, problem) = approves.post("/api/gates/policies", json!({"tool": "noop", "approval": {"keys_may_approve": true}})).await;
    assert!(code == 403 && problem["detail"].as_str().is_some_and(|why| why.contains("sign in")), "{problem}");

    // Where the tenant lets keys approve, they do it as their makers.
    let (code, policy) = ann.post("/api/gates/policies", json!({"tool": "noop", "approval": {"keys_may_approve": true}})).await;
    assert_eq!(code, 200, "{policy}");
    let id = submits.submit(guarded()).await;
    let run = waiting(&ann, &id).await;
    assert_eq!(decide(&approves, &run, "approve").await.1["title"], "You cannot approve your own run", "ann's keys are ann");
    let (code, gate) = decide(&bobs, &run, "approve").await;
    assert!(code == 200 && gate["status"] == "pending" && gate["decisions"][0]["key_id"].is_string(), "{gate}");
    assert_eq!(decide(&bob, &run, "approve").await.1["title"], "You have already approved this gate", "bob and his key are one person");
    assert_eq!(decide(&tenant.supervisor(), &run, "approve").await.1["status"], "passed");
    assert_eq!(submits.end(&id).await["status"], "succeeded");
}
