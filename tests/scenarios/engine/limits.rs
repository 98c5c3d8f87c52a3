use std::path::Path;
use std::time::{Duration, Instant};

use nofx_tests::people::step as step_of;
use nofx_tests::plans::{bash, plan, step, until};
use nofx_tests::{Person, Tenant, WAIT_LIMIT};
use serde_json::{Value, json};

/// Names of the steps that run now.
async fn running(person: &Person, runs: &[String]) -> Vec<String> {
    let mut names = vec![];
    for run in runs {
        let (_, run) = person.get(&format!("/api/runs/{run}")).await;
        let steps = run["steps"].as_array().expect("steps").iter().filter(|step| step["status"] == "running");
        names.extend(steps.map(|step| step["name"].as_str().expect("a name").to_owned()));
    }
    names
}

/// Of steps that run until there is a file of their name, exactly so many run at once; the next one starts when one has finished.
async fn run_at_once(most: usize, plans: impl Fn(&Path) -> Vec<Value>) {
    let (person, folder) = (Tenant::new().await.contributor(), tempfile::tempdir().expect("a folder"));
    let (mut runs, mut left) = (vec![], 0);
    for plan in plans(folder.path()) {
        left += plan["steps"].as_array().expect("steps").len();
        runs.push(person.submit(plan).await);
    }
    while left > 0 {
        let begun = Instant::now();
        let now = loop {
            let now = running(&person, &runs).await;
            if now.len() == most.min(left) && now.iter().all(|name| !folder.path().join(name).exists()) {
                break now;
            }
            assert!(begun.elapsed() < WAIT_LIMIT, "{now:?} run at once");
            tokio::time::sleep(Duration::from_millis(25)).await;
        };
        // A tenant's steps are claimed in the order of their ids: if the last one had its turn, so had each of these.
        assert_eq!(person.run(plan(vec![step("last", "noop", &[], json!({}))])).await["status"], "succeeded");
        assert_eq!(running(&person, &runs).await, now);
        std::fs::write(folder.path().join(&now[0]), "").expect("written");
        left -= 1;
    }
    for run in &runs {
        assert_eq!(person.end(run).await["status"], "succeeded");
    }
}

fn waiting(folder: &Path, name: &str) -> Value {
    bash(name, &until(&folder.join(name)))
}

fn keyed(folder: &Path, name: &str, limit: u32) -> Value {
    let mut step = waiting(folder, name);
    (step["concurrency_key"], step["concurrency_limit"]) = (json!("deploy"), json!(limit));
    step
}

#[tokio::test]
async fn as_many_steps_run_at_once_as_the_run_allows() {
    let limited = |folder: &Path| {
        let mut plan = plan(["a", "b", "c", "d"].map(|name| waiting(folder, name)).into());
        plan["max_parallel"] = json!(2);
        vec![plan]
    };
    run_at_once(2, limited).await;
}

#[tokio::test]
async fn as_many_steps_run_at_once_as_their_concurrency_key_allows() {
    run_at_once(2, |folder| vec![plan(["a", "b", "c"].map(|name| keyed(folder, name, 2)).into())]).await;
}

#[tokio::test]
async fn a_concurrency_key_holds_across_runs() {
    run_at_once(1, |folder| [["a", "b"], ["c", "d"]].map(|names| plan(names.map(|name| keyed(folder, name, 1)).into())).into()).await;
}

#[tokio::test]
async fn what_would_be_multiplied_too_often_fails_its_step_and_nothing_else() {
    let tenant = Tenant::new().await;
    let (person, neighbour) = (tenant.contributor(), Tenant::new().await.contributor());
    let items: Vec<usize> = (0..400).collect();
    let mut each = step("each", "noop", &["list"], json!({"text": "x".repeat(200 << 10)}));
    each["for_each"] = json!("steps.list.outputs.items");
    let large = plan(vec![step("list", "noop", &[], json!({"items": items})), each]);
    let (run, quiet) = tokio::join!(person.run(large), neighbour.run(plan(vec![step("a", "noop", &[], json!({}))])));
    assert_eq!(quiet["status"], "succeeded");
    let message = step_of(&run, "each")["error"]["message"].as_str().unwrap_or_default();
    assert!(run["status"] == "failed" && message.contains("at most 67108864"), "{message}");
    assert_eq!(run["steps"].as_array().map(Vec::len), Some(2), "no child was made");

    // Outputs of children that are too much together: each is within its own limit.
    let mut each = step("each", "noop", &["list"], json!({"text": "x".repeat(100 << 10)}));
    each["for_each"] = json!("steps.list.outputs.items.filter(n, n < 50)");
    let run = person.run(plan(vec![step("list", "noop", &[], json!({"items": items})), each])).await;
    let message = step_of(&run, "each")["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("more than 4 MiB together"), "{message}");
}
