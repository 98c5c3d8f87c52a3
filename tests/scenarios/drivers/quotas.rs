//! What a tenant's programs may use: how many run at once, and what they cost a day; what a run shows of it.

use std::path::Path;

use nofx_tests::Tenant;
use nofx_tests::people::{Person, step};
use nofx_tests::plans::until;
use nofx_tests::stack::STACK;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn set(tenant: &Tenant, more: Value) -> (StatusCode, Value) {
    let mut quota = json!({"tenant_id": tenant.id});
    quota.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    nofx_tests::people::answer(tenant.operator(Method::POST, "/api/quotas").json(&quota)).await
}

/// Two programs that run until a file is there.
fn held(go: &Path) -> Value {
    let one = |name: &str| json!({"name": name, "tool": "bash", "needs": [], "inputs": {"script": format!("{}; echo ran", until(go))}});
    json!({"goal": "x", "steps": [one("a"), one("b"), {"name": "ask", "tool": "manual:x", "needs": []},
        {"name": "write", "tool": "workspace:write", "needs": ["ask"], "inputs": {"files": {"gone": ""}}}]})
}

async fn approve(tenant: &Tenant, person: &Person, id: &str) {
    let run = person.wait(id, |run| run["gates"][0]["status"] == "pending").await;
    let path = format!("/api/gates/{}/approve", run["gates"][0]["id"].as_str().expect("an id"));
    assert_eq!(tenant.supervisor().post(&path, json!({"reason": "go on"})).await.0, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_beyond_the_quota_wait_say_so_and_hold_up_nobody_else() {
    let (tenant, other) = (Tenant::new().await, Tenant::new().await);
    let person = tenant.contributor();
    assert_eq!(set(&tenant, json!({"parallel_sandboxes": 1})).await.0, StatusCode::OK);
    let folder = tempfile::tempdir().expect("a folder");
    let go = folder.path().join("go");
    let id = person.submit(held(&go)).await;
    let of = |run: &Value, what: &str| run["steps"].as_array().expect("steps").iter().filter(|one| one["waits_for"] == what).count();
    let waits = |run: &Value| of(run, "quota") == 1 && of(run, "gate") == 1;
    let run = person
        .wait(&id, |run| waits(run) && run["steps"].as_array().is_some_and(|all| all.iter().any(|one| one["status"] == "running")))
        .await;
    let waiting = run["steps"].as_array().expect("steps").iter().find(|one| one["waits_for"] == "quota").expect("one waits");
    assert_eq!(waiting["status"], "ready", "{waiting}");
    let shown = person.get("/api/quotas").await.1["data"][0].clone();
    assert_eq!((&shown["parallel_sandboxes"], &shown["used"]["parallel_sandboxes"]), (&json!(1), &json!(1)), "{shown}");
    assert_eq!(other.viewer().get("/api/quotas").await.1["data"], json!([]), "it is no one else's");
    let line = person.nofx(&["quota"]);
    assert!(line.code == Some(0) && line.out.contains("parallel_sandboxes   1 steps whose programs run; 1 used\n"), "{line:?}");
    let show = person.nofx(&["show", &id]);
    assert!(show.out.contains("for a quota"), "{show:?}");
    let line = other.viewer().nofx(&["quota"]);
    assert_eq!((line.code, line.out.as_str()), (Some(0), "nothing is limited\n"), "{line:?}");

    // Another tenant's programs, and steps of this one that run none.
    let quick = json!({"goal": "x", "steps": [{"name": "go", "tool": "bash", "inputs": {"script": "echo ran"}}]});
    assert_eq!(other.contributor().run(quick.clone()).await["status"], "succeeded");
    assert_eq!(person.run(json!({"goal": "x", "steps": [{"name": "n", "tool": "noop"}]})).await["status"], "succeeded");

    std::fs::write(&go, "").expect("written");
    approve(&tenant, &person, &id).await;
    let run = person.end(&id).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    let events = person.events(&format!("run_id={id}&type=step.waiting"), 1).await;
    let waited: Vec<&Value> = events.iter().map(|event| &event["data"]).filter(|data| data["waits_for"] == "quota").collect();
    assert!(waited.iter().any(|data| data["quota"] == "parallel_sandboxes"), "{events:?}");

    // What its programs used is a line on the run: the sum of its attempts.
    // Also of the step that writes a file: its git is a program, too.
    let all = run["steps"].as_array().expect("steps").iter().flat_map(|one| one["attempts"].as_array().expect("attempts"));
    let sum = |name: &str| -> u64 { all.clone().filter_map(|attempt| attempt["usage"][name].as_u64()).sum() };
    let used = &run["sandbox"];
    assert_eq!((&used["wall_ms"], &used["cpu_ms"]), (&json!(sum("wall_ms")), &json!(sum("cpu_ms"))), "{used}");
    assert!(used["max_rss_bytes"].as_u64().is_some_and(|bytes| bytes > 0) && used["cost_micro_usd"] == 0, "the worker is paid for: {used}");
    let show = person.nofx(&["show", &id]);
    assert!(show.out.contains("  programs: "), "{show:?}");
    let plain = person.run(json!({"goal": "x", "steps": [{"name": "n", "tool": "noop"}]})).await;
    assert_eq!(plain["sandbox"], Value::Null, "no process ran");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_higher_quota_lets_steps_that_wait_continue() {
    let tenant = Tenant::new().await;
    let person = tenant.contributor();
    assert_eq!(set(&tenant, json!({"parallel_sandboxes": 1})).await.0, StatusCode::OK);
    let folder = tempfile::tempdir().expect("a folder");
    let go = folder.path().join("go");
    let id = person.submit(held(&go)).await;
    person.wait(&id, |run| run["steps"].as_array().is_some_and(|all| all.iter().any(|one| one["waits_for"] == "quota"))).await;
    let keyed = tenant.admin().nofx(&[
        "quota",
        "set",
        "--tenant",
        &tenant.id.to_string(),
        "--parallel-sandboxes",
        "2",
        "--internal-api-key",
        STACK.get("internal_api_key"),
        "--json",
    ]);
    assert_eq!((keyed.code, &keyed.json()["parallel_sandboxes"]), (Some(0), &json!(2)), "{keyed:?}");
    person.wait(&id, |run| ["a", "b"].iter().all(|name| step(run, name)["status"] == "running")).await;
    std::fs::write(&go, "").expect("written");
    approve(&tenant, &person, &id).await;
    assert_eq!(person.end(&id).await["status"], "succeeded");
    for wrong in [json!(0), json!(-1), json!("2"), json!(1.5), json!([2]), json!(u64::MAX)] {
        for name in ["parallel_sandboxes", "day_sandbox_usd"] {
            // Half a USD and half a sandbox are not the same.
            if name == "day_sandbox_usd" && (wrong == json!(1.5) || wrong == json!(u64::MAX)) {
                continue;
            }
            let (status, answer) = set(&tenant, json!({name: wrong})).await;
            assert!(status.is_client_error(), "{name} {wrong}: {status} {answer}");
        }
    }
    assert_eq!(person.get("/api/quotas").await.1["data"][0]["parallel_sandboxes"], 2, "wrong ones changed nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_whose_sandboxes_cost_too_much_today_starts_no_more() {
    let (tenant, other) = (Tenant::new().await, Tenant::new().await);
    let person = tenant.contributor();
    assert_eq!(set(&tenant, json!({"day_sandbox_usd": 0.25})).await.0, StatusCode::OK);
    let bash = |name: &str, needs: &[&str]| json!({"name": name, "tool": "bash", "needs": needs, "inputs": {"script": "echo ran"}});
    let id = person.submit(json!({"goal": "x", "steps": [{"name": "ask", "tool": "manual:x"}, bash("go", &["ask"])]})).await;
    let spend =
        "insert into nofx.sandbox_usage values ($1, (now() at time zone 'utc')::date, 0, 0, 0, 250000) on conflict (tenant_id, day, part)
        do update set cost_micro_usd = 250000";
    STACK.sql().await.execute(spend, &[&tenant.id]).await.expect("written");
    approve(&tenant, &person, &id).await;
    let run = person.end(&id).await;
    let message = step(&run, "go")["error"]["message"].as_str().expect("a reason").to_owned();
    assert!(message.contains("sandboxes cost 0.25 USD today, its quota day_sandbox_usd is 0.25"), "{message}");
    assert_eq!(run["sandbox"], Value::Null, "it did not run");
    let (status, problem) = person.post("/api/runs", json!({"plan": {"goal": "x", "steps": [bash("a", &[])]}})).await;
    assert_eq!((status, problem["title"].as_str()), (StatusCode::TOO_MANY_REQUESTS, Some("Tenant quota exceeded")), "{problem}");
    assert_eq!(other.contributor().run(json!({"goal": "x", "steps": [bash("a", &[])]})).await["status"], "succeeded");
}
