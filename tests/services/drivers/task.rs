//! What ECS is asked for by `placement: task`, and what happens when it fails.

use nofx_tests::fakes::ecs::Fault;
use nofx_tests::people::step;
use serde_json::{Value, json};

use super::stack::{Stack, TASK, bash};

async fn tried(stack: &Stack, script: &str, more: &Value) -> Value {
    let run = stack.step(&bash(TASK, script, more)).await;
    step(&run, "try").clone()
}

fn message(step: &Value) -> &str {
    step["error"]["message"].as_str().unwrap_or_default()
}

fn tag<'a>(task: &'a Value, key: &str) -> &'a Value {
    let all = task["tags"].as_array().expect("tags");
    &all.iter().find(|tag| tag["key"] == key).unwrap_or_else(|| panic!("no {key}: {task}"))["value"]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_asked_for_as_the_plan_says_and_tagged() {
    let stack = Stack::start("task-asked", &[TASK]).await;
    let more = json!({"image": "rust:1.95", "timeout_s": 60, "resources": {"network": "none"}});
    let run = stack.step(&bash(TASK, "echo ran", &more)).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    tried(&stack, "echo ran", &json!({})).await;
    let asked = stack.ecs().asked();
    let groups = |n: usize| asked[n]["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"].clone();
    assert_eq!((groups(0), groups(1)), (json!(["sg-closed"]), json!(["sg-open"])), "{asked:?}");
    assert_eq!(asked[1]["taskDefinition"], "nofx-step");
    assert_eq!((&asked[0]["launchType"], asked[0]["overrides"].get("taskRoleArn")), (&json!("FARGATE"), None), "it has no role");
    let family = asked[0]["taskDefinition"].as_str().expect("a family");
    let made = stack.ecs().call("DescribeTaskDefinition", &json!({"taskDefinition": family})).await["taskDefinition"].clone();
    let images: Vec<&Value> = made["containerDefinitions"].as_array().expect("containers").iter().map(|one| &one["image"]).collect();
    assert_eq!(images, ["worker@sha256:0", "rust:1.95"], "only the step's container has the image: {made}");
    assert!(made.get("taskRoleArn").is_none_or(|role| role == ""), "{made}");
    assert_eq!((tag(&asked[0], "run"), tag(&asked[0], "step")), (&run["id"], &step(&run, "try")["id"]));
    assert_eq!((tag(&asked[0], "tenant"), tag(&asked[0], "deployment")), (&json!(stack.own.tenant().await), tag(&asked[1], "deployment")));

    // The same image makes no second definition.
    tried(&stack, "echo ran", &json!({"image": "rust:1.95"})).await;
    let families = stack.ecs().call("ListTaskDefinitionFamilies", &json!({})).await["families"].clone();
    assert_eq!(families.as_array().map(Vec::len), Some(2), "{families}");

    let refused = tried(&stack, "echo ran", &json!({"resources": {"network": "proxy"}})).await;
    assert!(refused["status"] == "failed" && message(&refused).contains("network"), "{refused}");
    assert_eq!(stack.ecs().asked().len(), 3, "refused before anything is started");
    stack.has_no_machine().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_ecs_are_retried_when_nothing_can_happen_twice() {
    let stack = Stack::start("task-faults", &[TASK]).await;
    let once = json!({"retry": {"max_attempts": 1}});
    let twice = json!({"retry": {"max_attempts": 2, "initial_ms": 10}});
    stack.ecs().will(Fault::Full);
    let fine = tried(&stack, "echo ran", &once).await;
    assert_eq!(fine["status"], "succeeded", "{fine}");

    // The task of the call whose answer was cut is the same as that of its repetition.
    stack.ecs().will(Fault::NoAnswer);
    let fine = tried(&stack, "echo ran", &once).await;
    assert_eq!(fine["status"], "succeeded", "{fine}");
    stack.has_no_machine().await;

    stack.ecs().will(Fault::Throttled);
    let before = stack.ecs().asked().len();
    let fine = tried(&stack, "echo ran", &once).await;
    assert_eq!((&fine["status"], stack.ecs().asked().len() - before), (&json!("succeeded"), 1), "{fine}");

    // Nobody knows how far the program came: the attempt has failed, and nothing of it is there.
    for (fault, why) in [(Fault::EarlyDeath, ""), (Fault::CutStream, ""), (Fault::Stopped, "it was stopped by ECS")] {
        stack.ecs().will(fault);
        let before = stack.ecs().asked().len();
        let fine = tried(&stack, "sleep 5", &twice).await;
        assert_eq!((&fine["status"], fine["attempts"].as_array().map(Vec::len)), (&json!("succeeded"), Some(2)), "{fault:?}: {fine}");
        assert!(fine["attempts"][0]["error"]["message"].as_str().is_some_and(|text| text.contains(why)), "{fault:?}: {fine}");
        assert_eq!(stack.ecs().asked().len() - before, 2, "{fault:?}: a task for each attempt");
        stack.has_no_machine().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_in_a_task_answers_its_worker_alone() {
    let stack = Stack::start("task-token", &[TASK]).await;
    let begun = bash(TASK, "sleep 20", &json!({}));
    let run = stack.own.submit(&json!({"goal": "runs", "steps": [begun]})).await;
    let address = stack.ecs().address().await;
    let ask = || nofx_shared::net::client().post(format!("http://{address}:8080/run")).json(&json!({"argv": ["id"], "env": {}})).send();
    let mut refused = ask().await;
    // It takes a moment until it listens.
    while refused.as_ref().is_err_and(reqwest::Error::is_connect) {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        refused = ask().await;
    }
    assert_eq!(refused.expect("an answer").status(), 401);
    let wrong = nofx_shared::net::client().get(format!("http://{address}:8080/file?path=/etc/passwd")).bearer_auth("x").send().await;
    assert_eq!(wrong.expect("an answer").status(), 401);
    stack.own.call(reqwest::Method::POST, &format!("/api/runs/{run}/cancel"), Some(&json!({"reason": "enough"}))).await.expect("cancelled");
    stack.has_no_machine().await;
}
