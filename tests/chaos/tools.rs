//! A worker that is killed while it runs a tool: the work is repeated, and its effect happens once.

use nofx_tests::WAIT_LIMIT;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nofx_tests::fakes::forges::Forges;
use nofx_tests::fakes::models::{Fault, Providers};
use nofx_tests::own::{Own, is_finished};
use nofx_tests::people::step;
use nofx_tests::repository::Repository;
use nofx_tests::sealing::BRING_KEY;
use serde_json::{Value, json};

fn kill_the_worker(own: &Own) {
    Own::kill(own.dev()["pids"]["workers"][0].as_i64().expect("a worker"), Signal::SIGKILL);
}

/// Submits a plan and kills the worker when it has done something and is about to write it down as such a row of a table, which is never
/// written. Waits until the run has finished.
async fn killed(own: &Own, plan: &Value, table: &str, row: &str) -> Value {
    let sql = own.sql().await;
    let hold = format!(
        "create or replace function public.hold() returns trigger language plpgsql as
           $$ begin perform pg_advisory_xact_lock(1); return new; end $$;
         create or replace trigger hold before insert or update on {table} for each row when ({row}) execute function public.hold();
         select pg_advisory_lock(1)"
    );
    sql.batch_execute(&hold).await.expect("it will wait");
    let id = own.submit(plan).await;
    let held = "select pid from pg_locks where locktype = 'advisory' and not granted and (classid, objid) = (0, 1)";
    let begun = Instant::now();
    while sql.query_opt(held, &[]).await.expect("a look").is_none() {
        assert!(begun.elapsed() < WAIT_LIMIT, "it does not come to {row}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    kill_the_worker(own);
    // The database would complete the request of a client that is gone.
    let end = format!("select pg_terminate_backend(pid, 60000) from ({held}) as held");
    assert!(sql.query_one(&end, &[]).await.expect("one of them").get::<_, bool>(0));
    sql.batch_execute(&format!("drop trigger hold on {table}; select pg_advisory_unlock(1)")).await.expect("no one waits any more");
    own.end_leases("true").await;
    let run = own.wait(&id, is_finished).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    run
}

/// The step's row when it is settled.
fn is_settled(name: &str) -> String {
    format!("new.name = '{name}' and new.status = 'succeeded'")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_worker_left_half_done_is_done_once() {
    let (providers, forges) = (Providers::start().await, Forges::start().await);
    let settings: Vec<(String, String)> = providers.settings().into_iter().chain(forges.settings()).collect();
    let mut settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    // They push to a repository of this machine, where only file permissions may decide.
    settings.push(("NOFX_ISOLATION_FLOOR", "L1"));
    let own = Own::start_with(&Own::folder("tools"), &["--workers", "1"], &settings);
    for tool in ["git:push", "git:pr", "db_write", "plan:submit"] {
        own.call(reqwest::Method::POST, "/api/gates/policies", Some(&json!({"tool": tool}))).await.expect("a policy");
    }

    // A gate is judged again, and its verdict is recorded once.
    let gate = json!({"goal": "gate", "steps": [{"name": "gate", "tool": "gate:unit", "inputs": {"command": "true"}}]});
    let run = killed(&own, &gate, "nofx.gate", "new.gate_type = 'gate:unit'").await;
    assert_eq!((&step(&run, "gate")["attempt"], run["gates"].as_array().map(Vec::len)), (&json!(2), Some(1)), "{run}");

    // A model that was called is called again, since its response was not stored.
    providers.will("openai", &[Fault::Slow(Duration::from_secs(600))]);
    let codegen = json!({"goal": "codegen", "steps": [{"name": "write", "tool": "codegen", "inputs": {"prompt": "x", "path": "a.md", "order": ["openai"]}}]});
    let id = own.submit(&codegen).await;
    own.wait(&id, |_| !providers.requests().is_empty()).await;
    kill_the_worker(&own);
    own.end_leases("true").await;
    let run = own.wait(&id, is_finished).await;
    assert_eq!((run["status"].as_str(), providers.requests().len()), (Some("succeeded"), 2), "{run}");

    // A file that was being saved is saved completely.
    let keep = json!({"goal": "keep", "steps": [{"name": "keep", "tool": "bash", "inputs": {
        "script": "head -c 60000000 /dev/urandom > big && touch made", "artifacts": ["big"]}}]});
    let run = killed(&own, &keep, "nofx.artifact", "new.name = 'big'").await;
    let kept: Vec<&Value> = run["artifacts"].as_array().expect("artifacts").iter().filter(|one| one["name"] == "big").collect();
    assert_eq!((&step(&run, "keep")["attempt"], kept.len(), &kept[0]["size_bytes"]), (&json!(2), 1, &json!(60_000_000)), "{run}");

    // A write is written once, a pull request opened once, whenever the worker dies.
    let sql = own.sql().await;
    sql.batch_execute("create table public.tally (id int primary key generated always as identity, note text)").await.expect("a table");
    sql.query("select set_config('request.jwt.claims', '{\"role\": \"service_role\"}', false)", &[]).await.expect("set");
    sql.batch_execute(BRING_KEY).await.expect("a key");
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
        let run = killed(&own, &effects(round), "nofx.step", &is_settled(at)).await;
        assert_eq!(step(&run, at)["attempt"], 2, "{run}");
    }
    let rows: i64 = sql.query_one("select count(*) from public.tally", &[]).await.expect("a count").get(0);
    assert_eq!((rows, forges.opened().len()), (3, 3));
    assert_eq!(own.settled_twice().await, 0);
}
