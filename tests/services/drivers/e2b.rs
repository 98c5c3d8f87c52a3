//! What E2B is asked for, and what happens when it fails.

use nofx_tests::WAIT_LIMIT;
use std::time::{Duration, Instant};

use nofx_tests::fakes::e2b::{Call, Fault};
use nofx_tests::people::step;
use reqwest::Method;
use serde_json::{Value, json};

use super::stack::{E2B, Stack, bash};

async fn tried(stack: &Stack, script: &str, more: &Value) -> Value {
    let run = stack.step(&bash(E2B, script, more)).await;
    step(&run, "try").clone()
}

fn message(step: &Value) -> &str {
    step["error"]["message"].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_is_asked_for_as_the_plan_says_and_tagged() {
    let stack = Stack::start("e2b-asked", &[E2B]).await;
    let more = json!({"image": "rust:1.95", "timeout_s": 60, "resources": {"network": "none"}});
    let run = stack.step(&bash(E2B, "echo ran", &more)).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    tried(&stack, "echo ran", &json!({})).await;
    let created = stack.e2b.created();
    let (named, plain) = (&created[0], &created[1]);
    let asked = |body: &Value| ["templateID", "timeout", "allow_internet_access", "secure", "autoPause"].map(|name| body[name].clone());
    assert_eq!(asked(named), [json!("rust:1.95"), json!(180), json!(false), json!(true), json!(false)]);
    assert_eq!((&plain["templateID"], &plain["allow_internet_access"]), (&json!("base"), &json!(true)));
    let tags = &named["metadata"];
    assert_eq!((&tags["run"], &tags["step"], &tags["attempt"]), (&run["id"], &step(&run, "try")["id"], &json!("1")), "{tags}");
    assert_eq!(tags["tenant"], stack.own.tenant().await.to_string());
    assert_eq!(tags["deployment"], plain["metadata"]["deployment"]);
    assert!(named.get("envVars").is_none(), "its environment is of its programs alone: {named}");

    // Refused before anything is created.
    for (more, why) in [(json!({"resources": {"network": "proxy"}}), "network"), (json!({"timeout_s": 86_400}), "timeout_s")] {
        let refused = tried(&stack, "echo ran", &more).await;
        assert!(refused["status"] == "failed" && message(&refused).contains(why), "{refused}");
    }
    assert_eq!((stack.e2b.created().len(), stack.e2b.count(Call::Create)), (2, 2));

    let settings = json!({"default_driver": null, "min_isolation": null, "tools": {}, "images": {"e2b": "ours", "modal": "theirs"}, "toolchains": ["rust"]});
    stack.own.call(Method::POST, "/api/isolation", Some(&settings)).await.expect("settings of the tenant");
    for (more, image) in [(json!({}), "ours"), (json!({"image": "rust:1.95"}), "rust:1.95")] {
        let ran = tried(&stack, "echo ran", &more).await;
        let created = stack.e2b.created();
        let held = &ran["attempts"][0]["isolation"];
        assert_eq!((&created.last().expect("a sandbox")["templateID"], &held["image"]), (&json!(image), &json!(image)), "{ran}");
        assert_eq!(held["toolchains"], Value::Null, "those of a worker are not there");
    }
    stack.has_no_machine().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_has_one_machine_and_its_workspace_goes_there_once() {
    let stack = Stack::start("e2b-gate", &[E2B]).await;
    // Its program, and the program's version.
    let gate = json!({"name": "try", "tool": "gate:typecheck", "driver": "e2b", "inputs": {"command": "python3 -c pass"}});
    let run = stack.step(&gate).await;
    assert_eq!(step(&run, "try")["outputs"]["verdict"], "pass", "{run}");
    assert_eq!((stack.e2b.count(Call::Create), stack.e2b.count(Call::Program), stack.e2b.count(Call::Upload)), (1, 2, 1));
    assert_eq!(stack.e2b.count(Call::Download), 0, "nothing was changed");
    stack.has_no_machine().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_e2b_are_retried_when_nothing_can_happen_twice() {
    let stack = Stack::start("e2b-faults", &[E2B]).await;
    let once = json!({"retry": {"max_attempts": 1}});
    let twice = json!({"retry": {"max_attempts": 2, "initial_ms": 10}});

    stack.e2b.will(Call::Create, &[Fault::Busy(2)]);
    let begun = Instant::now();
    let fine = tried(&stack, "echo ran", &once).await;
    assert!(fine["status"] == "succeeded" && begun.elapsed() >= Duration::from_secs(2), "Retry-After is honoured: {fine}");

    // What a call made whose answer said nothing is found and ended.
    stack.e2b.will(Call::Create, &[Fault::Unanswered]);
    let before = stack.e2b.created().len();
    let fine = tried(&stack, "echo ran", &once).await;
    assert_eq!((&fine["status"], stack.e2b.created().len() - before), (&json!("succeeded"), 2), "{fine}");
    stack.has_no_machine().await;

    stack.e2b.will(Call::Create, &[Fault::Fails, Fault::Slow(Duration::from_millis(300))]);
    stack.e2b.will(Call::Upload, &[Fault::Busy(0), Fault::Fails]);
    stack.e2b.will(Call::Download, &[Fault::Cut, Fault::Busy(0)]);
    stack.e2b.will(Call::Kill, &[Fault::Fails, Fault::Busy(0), Fault::Unanswered]);
    let fine =
        tried(&stack, "echo kept > file; echo '{\"v\": 1}' > $NOFX_OUTPUT", &json!({"retry": {"max_attempts": 1}, "artifacts": ["file"]}))
            .await;
    assert_eq!((&fine["status"], &fine["outputs"]["v"]), (&json!("succeeded"), &json!(1)), "{fine}");
    stack.has_no_machine().await;

    // Nobody knows how far the program came: the attempt has failed, and nothing of it is there.
    for fault in [Fault::Cut, Fault::Unfinished, Fault::Dies] {
        stack.e2b.will(Call::Program, &[fault]);
        let fine = tried(&stack, "echo begun; sleep 1; echo ended", &twice).await;
        assert_eq!((&fine["status"], fine["attempts"].as_array().map(Vec::len)), (&json!("succeeded"), Some(2)), "{fault:?}: {fine}");
        stack.has_no_machine().await;
    }

    // Nothing of this can succeed.
    stack.e2b.will(Call::Create, &[Fault::UnknownKey]);
    let refused = tried(&stack, "echo ran", &twice).await;
    assert!(refused["status"] == "failed" && message(&refused).contains("401"), "{refused}");
    assert_eq!(refused["attempts"].as_array().map(Vec::len), Some(1), "{refused}");
    let refused = tried(&stack, "echo ran", &json!({"image": "missing-template"})).await;
    assert!(refused["status"] == "failed" && message(&refused).contains("missing-template"), "{refused}");
    stack.has_no_machine().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_that_were_left_behind_are_ended_and_those_of_others_are_not() {
    let stack = Stack::start("e2b-left", &[E2B]).await;
    tried(&stack, "echo ran", &json!({})).await;
    let tags = stack.e2b.created()[0]["metadata"].clone();
    stack.has_no_machine().await;
    let with = |name: &str, value: &str| {
        let mut other = tags.clone();
        other[name] = value.into();
        other
    };
    for metadata in [with("deployment", "another"), json!({}), json!({"deployment": tags["deployment"]}), with("attempt", "x")] {
        stack.e2b.make_of_others(&metadata).await;
    }
    // More than one page of a list.
    for _ in 0..5 {
        stack.e2b.make_of_others(&tags).await;
    }
    let begun = Instant::now();
    while stack.e2b.alive() > 4 {
        assert!(begun.elapsed() < WAIT_LIMIT, "{} are there", stack.e2b.alive());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (killed, listed) = (stack.e2b.count(Call::Kill), stack.e2b.count(Call::List));
    while stack.e2b.count(Call::List) < listed + 3 {
        assert!(begun.elapsed() < WAIT_LIMIT, "the job runs no more");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((stack.e2b.alive(), stack.e2b.count(Call::Kill)), (4, killed), "those of others stay");
}
