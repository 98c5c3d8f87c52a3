//! Machines that were left behind are ended, and those of others are not: of another deployment that has the same account, and such as have no
//! tags that a worker gives. For E2B it is tried in `e2b`.

use std::time::{Duration, Instant};

use nofx_tests::WAIT_LIMIT;
use nofx_tests::people::step;
use serde_json::{Value, json};

use super::stack::{Driver, MODAL, Stack, TASK, bash};

/// More than one pass of the job.
const PASSES: Duration = Duration::from_secs(4);

/// The tags of a machine that was left behind, and those of machines that are none of this deployment's business.
fn tags_of_others(tags: &Value) -> [Value; 4] {
    let with = |name: &str, value: &str| {
        let mut other = tags.clone();
        other[name] = value.into();
        other
    };
    [with("deployment", "another"), json!({}), json!({"deployment": tags["deployment"]}), with("attempt", "x")]
}

/// Once the job has ended what was left behind, it goes on for a while.
async fn only_those_of_others_stay(stack: &Stack, driver: Driver, alive: impl Fn() -> usize) {
    let begun = Instant::now();
    while alive() > 4 {
        assert!(begun.elapsed() < WAIT_LIMIT, "{} are there", alive());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    ran(stack, driver).await;
    tokio::time::sleep(PASSES).await;
    assert_eq!(alive(), 4, "those of others stay");
}

async fn ran(stack: &Stack, driver: Driver) {
    // An account is searched once it is used.
    let run = stack.step(&bash(driver, "echo ran", &json!({}))).await;
    assert_eq!(step(&run, "try")["status"], "succeeded", "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sandboxes_of_others_at_modal_stay() {
    let stack = Stack::start("modal-others", &[MODAL]).await;
    ran(&stack, MODAL).await;
    let tags = stack.modal().created()[0]["tags"].clone();
    stack.has_no_machine().await;
    for other in tags_of_others(&tags).iter().chain([&tags, &tags]) {
        stack.modal().make_of_others(other);
    }
    assert_eq!(stack.modal().alive(), 6);
    ran(&stack, MODAL).await;
    only_those_of_others_stay(&stack, MODAL, || stack.modal().alive()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_of_others_at_ecs_stay() {
    let stack = Stack::start("task-others", &[TASK]).await;
    ran(&stack, TASK).await;
    let asked = stack.ecs().asked()[0].clone();
    stack.has_no_machine().await;
    let tags: serde_json::Map<String, Value> = asked["tags"]
        .as_array()
        .expect("tags")
        .iter()
        .map(|tag| (tag["key"].as_str().expect("a key").to_owned(), tag["value"].clone()))
        .collect();
    let tags = Value::Object(tags);
    for other in tags_of_others(&tags).iter().chain([&tags, &tags]) {
        let mut task = asked.clone();
        let list = other.as_object().expect("tags").iter().map(|(key, value)| json!({"key": key, "value": value}));
        task["tags"] = list.collect();
        task["clientToken"] = uuid::Uuid::now_v7().to_string().into();
        stack.ecs().run_task(&task).await;
    }
    only_those_of_others_stay(&stack, TASK, || stack.ecs().running()).await;
}
