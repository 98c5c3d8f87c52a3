//! What every driver does alike: each case on each of them. A driver is a line in `stack`, and a test here.

use std::panic::AssertUnwindSafe;

use futures::future::{FutureExt, join_all};
use nofx_tests::people::step;
use serde_json::{Value, json};

use super::cases::{CASES, Case};
use super::files;
use super::stack::{Driver, E2B, LOCAL, MODAL, Stack, TASK, bash};

/// Runs all cases at once; all that fail are reported.
async fn conforms(driver: Driver) {
    let stack = Stack::start(&format!("conformance-{}", driver.placement.unwrap_or(driver.name)), &[driver]).await;
    let all = join_all(CASES.iter().map(|case| AssertUnwindSafe(run(&stack, driver, case)).catch_unwind())).await;
    let failed: Vec<&str> = CASES.iter().zip(&all).filter(|(_, ended)| ended.is_err()).map(|(case, _)| case.name).collect();
    assert!(failed.is_empty(), "{} does not conform: {failed:?}", driver.name);
    files::come_back(&stack, driver).await;
    many_at_once(&stack, driver).await;
    stack.has_no_machine().await;
}

async fn run(stack: &Stack, driver: Driver, case: &Case) {
    let run = stack.step(&(case.step)(driver)).await;
    let tried = step(&run, "try");
    let log = tried["attempts"][0]["attempt"].as_u64().map_or_else(|| "log-1.txt".to_owned(), |attempt| format!("log-{attempt}.txt"));
    let has_log = run["artifacts"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == log));
    let log = if has_log { stack.artifact(&run, "try", &log).await } else { String::new() };
    let is_fine = (case.check)(tried, &log);
    assert!(
        is_fine,
        "{} on {}: {tried}\n{} bytes of log: {}",
        case.name,
        driver.name,
        log.len(),
        log.chars().take(2000).collect::<String>()
    );
    // What ran says where.
    if tried["status"] == "succeeded" {
        let held = &tried["attempts"][0]["isolation"];
        assert_eq!((&held["driver"], &held["level"]), (&driver.name.into(), &driver.level.into()), "{}: {tried}", case.name);
    }
}

async fn many_at_once(stack: &Stack, driver: Driver) {
    let steps: Vec<Value> = (0..32)
        .map(|n| {
            let mut step = bash(driver, &format!("echo '{{\"n\": {n}}}' > $NOFX_OUTPUT; pwd > mine; sleep 0.2"), &json!({}));
            step["name"] = format!("s{n}").into();
            step["needs"] = json!([]);
            step
        })
        .collect();
    let run = stack.own.run(&json!({"goal": "many", "steps": steps})).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    for n in 0..32 {
        assert_eq!(step(&run, &format!("s{n}"))["outputs"]["n"], n, "{run}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn worker_container_conforms() {
    conforms(LOCAL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn e2b_conforms() {
    conforms(E2B).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn modal_conforms() {
    conforms(MODAL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_conform() {
    conforms(TASK).await;
}
