//! What every driver does alike: each case on each of them. A driver is a line in `stack`, and a test here.

use std::panic::AssertUnwindSafe;

use futures::future::{FutureExt, join_all};
use nofx_tests::people::step;
use serde_json::{Value, json};

use super::cases::{CASES, Case};
use super::files;
use super::meeting::STEPS;
use super::stack::{Driver, E2B, LOCAL, LOCAL_L1, LOCAL_L3, MODAL, Stack, TASK, bash, mark};

/// Runs all cases at once; all that fail are reported. Levels of the worker's own machine share a stack.
async fn conform(drivers: &[Driver]) {
    let stack = Stack::start(&format!("conformance-{}", drivers[0].placement.unwrap_or(drivers[0].name)), drivers).await;
    for driver in drivers {
        let all = join_all(CASES.iter().map(|case| AssertUnwindSafe(run(&stack, *driver, case)).catch_unwind())).await;
        let failed: Vec<&str> = CASES.iter().zip(&all).filter(|(_, ended)| ended.is_err()).map(|(case, _)| case.name).collect();
        assert!(failed.is_empty(), "{}, {} does not conform: {failed:?}", driver.name, driver.level);
        has_the_network_that_it_asks_for(&stack, *driver).await;
        leaves_nothing(&stack, *driver).await;
        files::come_back(&stack, *driver).await;
        many_at_once(&stack, *driver).await;
    }
    stack.has_no_machine().await;
}

async fn has_the_network_that_it_asks_for(stack: &Stack, driver: Driver) {
    for (network, answer) in [("all", "hello\n"), ("none", "refused\n")] {
        // The stand-in of ECS has one network for all; which groups a task has is tried in `task`.
        if (network, driver) != ("none", TASK) {
            let run = stack.step(&bash(driver, &stack.meeting.says("hello"), &json!({"resources": {"network": network}}))).await;
            assert_eq!(step(&run, "try")["outputs"]["stdout"], answer, "{}, {}, {network}: {run}", driver.name, driver.level);
        }
    }
}

async fn leaves_nothing(stack: &Stack, driver: Driver) {
    let mark = mark("left");
    let script = format!("(setsid nohup bash -c 'exec -a {mark} sleep 600' >/dev/null 2>&1 &); sleep 0.2; echo left");
    let run = stack.step(&bash(driver, &script, &json!({}))).await;
    assert_eq!(step(&run, "try")["outputs"]["stdout"], "left\n", "{}, {}: {run}", driver.name, driver.level);
    stack.is_gone(&mark).await;
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
    // None of them ends before all of them run.
    let meet = stack.meeting.says("meet");
    let steps: Vec<Value> = (0..STEPS)
        .map(|n| {
            let script = format!("{meet}; [ \"$answer\" = meet ]; echo '{{\"n\": {n}}}' > $NOFX_OUTPUT");
            let mut step = bash(driver, &script, &json!({"retry": {"max_attempts": 1}}));
            step["name"] = format!("s{n}").into();
            step["needs"] = json!([]);
            step
        })
        .collect();
    let run = stack.own.run(&json!({"goal": "many", "steps": steps})).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    for n in 0..STEPS {
        assert_eq!(step(&run, &format!("s{n}"))["outputs"]["n"], n, "{run}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn worker_container_conforms() {
    conform(&[LOCAL_L1, LOCAL, LOCAL_L3]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn e2b_conforms() {
    conform(&[E2B]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn modal_conforms() {
    conform(&[MODAL]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_conform() {
    conform(&[TASK]).await;
}
