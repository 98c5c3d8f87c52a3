//! Steps that the function executes for a worker (driver `vercel-function`). What a call may be, and how it is answered once, is tried in
//! `tests/services/function_calls.rs`.

use std::time::Duration;

use nofx_tests::Tenant;
use nofx_tests::people::{answer, step};
use nofx_tests::plans::plan;
use nofx_tests::receiver::Receiver;
use nofx_tests::stack::STACK;
use reqwest::Method;
use serde_json::{Value, json};

/// A step of the driver.
fn there(name: &str, tool: &str, more: Value) -> Value {
    let mut step = json!({"name": name, "tool": tool, "driver": "vercel-function", "on_failure": "continue", "retry": {"max_attempts": 1}});
    let Value::Object(more) = more else { panic!("no fields: {more}") };
    step.as_object_mut().expect("an object").extend(more);
    step
}

/// What the function executed of a run's steps: their names, by the answers that it stored.
async fn executed(run: &Value) -> Vec<String> {
    let names = "select s.name from nofx_private.function_call c join nofx.step s on s.id = c.step_id
        where s.run_id = $1::text::uuid and c.answer is not null order by s.name";
    let rows = STACK.sql().await.query(names, &[&run["id"].as_str().expect("an id")]).await.expect("rows");
    rows.iter().map(|row| row.get(0)).collect()
}

fn message(run: &Value, name: &str) -> String {
    step(run, name)["error"]["message"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_executes_what_needs_no_machine_and_the_attempt_says_so() {
    let tenant = Tenant::new().await;
    let person = tenant.contributor();
    let run = person
        .run(plan(vec![
            there("a", "noop", json!({"inputs": {"text": "ü", "n": 1}})),
            there("b", "noop", json!({"needs": ["a"], "inputs": {"of": "${{ steps.a.outputs.n + 1 }}"}})),
            json!({"name": "c", "tool": "noop"}),
        ]))
        .await;
    assert_eq!(run["status"], "succeeded", "{run}");
    assert_eq!(executed(&run).await, ["a", "b"], "the worker had one of them");
    assert_eq!(step(&run, "a")["outputs"], json!({"text": "ü", "n": 1}));
    assert_eq!(step(&run, "b")["outputs"], json!({"of": 2}), "expressions are evaluated before it is called");
    let isolation = &step(&run, "a")["attempts"][0]["isolation"];
    assert_eq!((&isolation["driver"], &isolation["level"], &isolation["seccomp"]), (&json!("vercel-function"), &Value::Null, &Value::Null));
    assert_eq!(step(&run, "c")["attempts"][0]["isolation"], Value::Null);
    assert!(step(&run, "a")["attempts"][0]["worker"].as_str().is_some_and(|worker| worker.starts_with("dev-")), "the worker settled it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_default_is_for_the_tools_that_a_function_takes() {
    let tenant = Tenant::new().await;
    let settings = json!({"default_driver": "vercel-function", "min_isolation": "L2", "tools": {}, "images": {}, "toolchains": null});
    assert_eq!(tenant.admin().post("/api/isolation", settings).await.0, 200);
    let bash = json!({"name": "b", "tool": "bash", "inputs": {"script": "echo ran"}});
    let run = tenant.contributor().run(plan(vec![json!({"name": "a", "tool": "noop"}), bash])).await;
    assert_eq!((run["status"].as_str(), executed(&run).await), (Some("succeeded"), vec!["a".to_owned()]), "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_step_has_its_guards_its_secrets_and_its_breaker_there_too() {
    let tenant = Tenant::new().await;
    let (person, receiver) = (tenant.contributor(), Receiver::start().await);
    let inside = person.run(plan(vec![there("a", "http", json!({"inputs": {"url": receiver.url}}))])).await;
    assert!(message(&inside, "a").contains("is a private address"), "{inside}");
    assert_eq!((executed(&inside).await, receiver.received().len()), (vec!["a".to_owned()], 0));

    tenant.allow_loopback().await;
    let secret = "hunter2-hunter2";
    receiver.answer(200, &json!({"you": "sent Bearer hunter2-hunter2"}).to_string());
    let inputs = json!({"url": receiver.url, "method": "POST", "body": {"a": 1}, "headers": {"authorization": "Bearer ${TEST_TOKEN}"}});
    let call = json!({"inputs": inputs, "secrets": ["TEST_TOKEN"], "idempotency_key": "order-${{ run.goal }}"});
    let run = person.run(plan(vec![there("a", "http", call)])).await;
    assert_eq!(step(&run, "a")["outputs"]["body"], json!({"you": "sent Bearer ***"}), "{run}");
    let received = receiver.received();
    assert_eq!(
        (received.len(), received[0].header("authorization"), received[0].header("idempotency-key")),
        (1, "Bearer hunter2-hunter2", "order-test")
    );
    let stored = "select count(*) from nofx_private.function_call c join nofx.step s on s.id = c.step_id where s.run_id = $1::text::uuid and c.answer::text like '%hunter2%'";
    let leaked = STACK.sql().await.query_one(stored, &[&run["id"].as_str().expect("an id")]).await.expect("a count");
    assert!(leaked.get::<_, i64>(0) == 0 && !run.to_string().contains(secret), "{run}");

    receiver.answer(200, "NUL \u{0} here");
    let run = person.run(plan(vec![there("a", "http", json!({"inputs": {"url": receiver.url}}))])).await;
    assert_eq!(step(&run, "a")["outputs"]["body"], "NUL \u{fffd} here", "Postgres stores the answer: {run}");

    receiver.answer(500, "it is hunter2-hunter2");
    let call = json!({"inputs": {"url": receiver.url}, "secrets": ["TEST_TOKEN"]});
    let run = person.run(plan(vec![there("a", "http", call)])).await;
    assert!(message(&run, "a").ends_with("returned 500"), "{run}");
    assert_eq!(step(&run, "a")["error"]["details"], json!({"status": 500, "body": "it is ***"}));
    let target = "select breaker_target from nofx.step where run_id = $1::text::uuid";
    let target = STACK.sql().await.query_one(target, &[&run["id"].as_str().expect("an id")]).await.expect("a step");
    assert_eq!(target.get::<_, Option<String>>(0).as_deref(), Some("http:127.0.0.1"), "its failure counts for the host");

    let missing = json!({"inputs": {"url": receiver.url}, "secrets": ["TEST_TOKEN_OF_NOBODY"]});
    let run = person.run(plan(vec![there("a", "http", missing)])).await;
    assert!(message(&run, "a").contains("TEST_TOKEN_OF_NOBODY was not found"), "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_ends_with_the_time_of_its_step() {
    let tenant = Tenant::new().await;
    tenant.allow_loopback().await;
    let receiver = Receiver::start().await;
    receiver.always(200, "late", Duration::from_secs(30));
    let slow = there("a", "http", json!({"inputs": {"url": receiver.url}, "timeout_s": 1}));
    let run = tenant.contributor().run(plan(vec![slow])).await;
    assert_eq!((step(&run, "a")["status"].as_str(), message(&run, "a").as_str()), (Some("timed_out"), "timed out after 1 s"), "{run}");
    assert_eq!((executed(&run).await, receiver.received().len()), (vec!["a".to_owned()], 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_db_write_is_written_by_the_settle_of_its_worker() {
    let tenant = Tenant::new().await;
    let table = format!("public.there_{}", tenant.id.simple());
    STACK.sql().await.batch_execute(&format!("create table {table} (id int primary key, status text)")).await.expect("a table");
    let rule =
        json!({"tenant_id": tenant.id, "table_name": table, "allowed_ops": ["insert"], "constraints": {"columns": ["id", "status"]}});
    let (code, answered) = answer(tenant.operator(Method::POST, "/api/db-write-rules").json(&rule)).await;
    assert_eq!(code, 200, "{answered}");
    let write = |table: &str| json!({"inputs": {"op": "insert", "table": table, "values": {"id": 1, "status": "open"}}});
    let steps = vec![there("a", "db_write", write(&table)), there("b", "db_write", write("nofx.run"))];
    let run = tenant.contributor().run(plan(steps)).await;
    assert_eq!(step(&run, "a")["outputs"]["after"], json!([{"id": 1, "status": "open"}]), "{run}");
    assert!(message(&run, "b").contains("write-not-allowed: nofx.run"), "{run}");
    assert_eq!(executed(&run).await, ["a", "b"]);
    let rows = STACK.sql().await.query(&format!("select id from {table}"), &[]).await.expect("rows");
    assert_eq!(rows.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_function_does_not_run_is_refused_when_it_is_submitted() {
    let person = Tenant::new().await.contributor();
    for (tool, more, pointer) in [
        ("bash", json!({"inputs": {"script": "true"}}), "/steps/0/driver"),
        ("gate:unit", json!({}), "/steps/0/driver"),
        ("git:push", json!({}), "/steps/0/driver"),
        ("sleep", json!({"inputs": {"seconds": 1}}), "/steps/0/driver"),
        ("manual:x", json!({}), "/steps/0/driver"),
        ("http", json!({"timeout_s": 46, "inputs": {"url": "https://a"}}), "/steps/0/timeout_s"),
        ("http", json!({"resources": {"memory_mb": 64}, "inputs": {"url": "https://a"}}), "/steps/0/resources"),
        ("http", json!({"image": "base", "inputs": {"url": "https://a"}}), "/steps/0/image"),
    ] {
        let (status, problem) = person.post("/api/runs", json!({"plan": plan(vec![there("a", tool, more)])})).await;
        assert_eq!((status.as_u16(), &problem["errors"][0]["pointer"]), (422, &json!(pointer)), "{tool}: {problem}");
    }
    assert_eq!(person.get("/api/runs").await.1["data"], json!([]), "nothing was written");
}
