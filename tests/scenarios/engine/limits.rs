use nofx_tests::Tenant;
use nofx_tests::plans::bash;
use serde_json::{Value, json};

/// How many of the run's steps ran at the same instant, by their own clocks.
fn most_at_once(run: &Value) -> usize {
    let mut marks = vec![];
    for step in run["steps"].as_array().expect("steps") {
        let stamp = |key: &str| step[key].as_str().expect("an instant").parse::<chrono::DateTime<chrono::Utc>>().expect("a time");
        marks.push((stamp("started_at"), 1i32));
        marks.push((stamp("ended_at"), -1));
    }
    marks.sort_by_key(|(at, change)| (*at, *change));
    let mut now = 0;
    marks
        .into_iter()
        .map(|(_, change)| {
            now += change;
            usize::try_from(now).unwrap_or(0)
        })
        .max()
        .unwrap_or(0)
}

#[tokio::test]
async fn no_more_steps_run_at_once_than_the_run_allows() {
    let person = Tenant::new().await.contributor();
    let steps: Vec<Value> = (0..8).map(|n| bash(&format!("s{n}"), "sleep 0.1")).collect();
    let run = person.run(json!({"goal": "limited", "max_parallel": 2, "steps": steps})).await;
    assert_eq!(run["status"], "succeeded");
    assert!(most_at_once(&run) <= 2, "{}", most_at_once(&run));
}

#[tokio::test]
async fn a_concurrency_key_holds_across_runs() {
    let person = Tenant::new().await.contributor();
    let plan = json!({"goal": "key", "steps": (0..3).map(|n| json!({"name": format!("s{n}"), "tool": "bash", "needs": [],
        "concurrency_key": "deploy", "concurrency_limit": 1, "inputs": {"script": "sleep 0.1"}})).collect::<Vec<_>>()});
    let ids = [person.submit(plan.clone()).await, person.submit(plan).await];
    let mut all = vec![];
    for id in &ids {
        let run = person.end(id).await;
        assert_eq!(run["status"], "succeeded");
        all.extend(run["steps"].as_array().expect("steps").clone());
    }
    assert_eq!(most_at_once(&json!({"steps": all})), 1);
}
