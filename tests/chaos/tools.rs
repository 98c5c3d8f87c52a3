//! A worker that is killed while it runs a tool: the work is done once more, and what it has an effect on is changed once.

use std::time::Duration;

use nix::sys::signal::Signal;
use nofx_tests::fakes::forges::Forges;
use nofx_tests::fakes::models::{Fault, Providers};
use nofx_tests::own::{Own, is_over};
use nofx_tests::people::step;
use nofx_tests::repository::Repository;
use serde_json::{Value, json};

/// Submits a plan, kills the worker once `ready` says so, and waits for the run's end.
async fn killed(own: &Own, plan: &Value, ready: impl Fn(&Value) -> bool) -> Value {
    let id = own.submit(plan).await;
    own.wait(&id, Duration::from_secs(60), ready).await;
    let worker = own.dev()["pids"]["workers"][0].as_i64().expect("a worker");
    Own::kill(worker, Signal::SIGKILL);
    own.wait(&id, Duration::from_secs(60), is_over).await
}

fn runs(name: &'static str) -> impl Fn(&Value) -> bool {
    move |run| run["steps"].as_array().is_some_and(|steps| steps.iter().any(|step| step["name"] == name && step["status"] == "running"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_worker_left_half_done_is_done_once() {
    let (providers, forges) = (Providers::start().await, Forges::start().await);
    let settings: Vec<(String, String)> = providers.settings().into_iter().chain(forges.settings()).collect();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let own = Own::start_with(&Own::folder("tools"), &["--workers", "1"], &settings);
    for tool in ["git:pr", "db_write", "plan:submit"] {
        own.call(reqwest::Method::POST, "/api/gates/policies", Some(&json!({"tool": tool}))).await.expect("a policy");
    }

    // A gate is judged again, and its verdict stands once.
    let gate = json!({"goal": "gate", "steps": [{"name": "gate", "tool": "gate:unit", "inputs": {"command": "sleep 2"}}]});
    let run = killed(&own, &gate, runs("gate")).await;
    assert_eq!(
        (run["status"].as_str(), &step(&run, "gate")["attempt"], run["gates"].as_array().map(Vec::len)),
        (Some("succeeded"), &json!(2), Some(1)),
        "{run}"
    );

    // A model that was asked is asked again: what was not written down cannot be known.
    providers.will("openai", &[Fault::Slow(Duration::from_secs(600))]);
    let codegen = json!({"goal": "codegen", "steps": [{"name": "write", "tool": "codegen", "inputs": {"prompt": "x", "path": "a.md", "order": ["openai"]}}]});
    let run = killed(&own, &codegen, |_| !providers.asked().is_empty()).await;
    assert_eq!((run["status"].as_str(), providers.asked().len()), (Some("succeeded"), 2), "{run}");

    // A file that was being kept is kept whole.
    let keep = json!({"goal": "keep", "steps": [{"name": "keep", "tool": "bash", "inputs": {
        "script": "head -c 60000000 /dev/urandom > big && touch made", "artifacts": ["big"]}}]});
    let run = killed(&own, &keep, runs("keep")).await;
    let kept: Vec<&Value> = run["artifacts"].as_array().expect("artifacts").iter().filter(|one| one["name"] == "big").collect();
    assert_eq!((run["status"].as_str(), kept.len(), &kept[0]["size_bytes"]), (Some("succeeded"), 1, &json!(60_000_000)), "{run}");

    // A write is written once, a pull request opened once, whenever the worker goes.
    let sql = own.sql().await;
    sql.batch_execute("create table public.tally (id int primary key generated always as identity, note text)").await.expect("a table");
    sql.query("select set_config('request.jwt.claims', '{\"role\": \"service_role\"}', false)", &[]).await.expect("set");
    let tenant = own.tenant().await;
    sql.query("select nofx.set_db_write_rule($1, 'public.tally', array['insert'], '{\"columns\": [\"note\"]}')", &[&tenant])
        .await
        .expect("a rule");
    let repository = Repository::new(&[("a.txt", "a\n")]);
    let effects = |round: u64| {
        json!({"goal": "effects", "workspace": repository.workspace("main"), "steps": [
        {"name": "branch", "tool": "git:branch", "inputs": {"name": format!("agent/{round}")}},
        {"name": "write", "tool": "workspace:write", "inputs": {"files": {"b.txt": "b\n"}}},
        {"name": "commit", "tool": "git:commit", "inputs": {"message": "b"}},
        {"name": "push", "tool": "git:push", "secrets": ["FORGE_TOKEN"]},
        {"name": "pr", "tool": "git:pr", "secrets": ["FORGE_TOKEN"], "inputs": {"title": "b", "forge": "github", "repository": "acme/web"}},
        {"name": "row", "tool": "db_write", "inputs": {"op": "insert", "table": "public.tally", "values": {"note": "x"}}}]})
    };
    for (round, at) in (0u64..).zip(["commit", "pr", "row"]) {
        let run = killed(&own, &effects(round), |run| !matches!(step(run, at)["status"].as_str(), Some("pending" | "ready"))).await;
        assert_eq!(run["status"], "succeeded", "{run}");
    }
    let rows: i64 = sql.query_one("select count(*) from public.tally", &[]).await.expect("a count").get(0);
    assert_eq!((rows, forges.opened().len()), (3, 3));
    assert_eq!(own.settled_twice().await, 0);
}
