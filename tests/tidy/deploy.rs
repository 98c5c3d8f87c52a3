//! The deployment: functions, crons, templates, workflows.
#![expect(clippy::disallowed_methods, reason = "runs linters")]

use std::process::Command;

use nofx_tests::stack::target;
use serde_json::Value;

use crate::layout::{files, root};

fn vercel() -> Value {
    serde_json::from_slice(&std::fs::read(root().join("vercel.json")).expect("vercel.json")).expect("JSON")
}

/// Names of the functions.
fn functions() -> Vec<String> {
    let entries = std::fs::read_dir(root().join("api")).expect("api");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|name| name.ends_with(".rs") && !name.starts_with('_')).map(|name| name.trim_end_matches(".rs").to_owned()).collect()
}

#[test]
fn functions_are_few_and_a_few_lines_each_and_have_their_paths() {
    let functions = functions();
    assert!((1..=12).contains(&functions.len()), "{functions:?}: the smallest plan allows 12");
    let manifest = std::fs::read_to_string(root().join("api/Cargo.toml")).expect("text");
    let destinations: Vec<Value> =
        vercel()["rewrites"].as_array().expect("rewrites").iter().map(|one| one["destination"].clone()).collect();
    for name in functions {
        let lines = std::fs::read_to_string(root().join(format!("api/{name}.rs"))).expect("text").lines().count();
        assert!(lines <= 10, "api/{name}.rs: a function file only names its router");
        assert!(
            manifest.contains(&format!("path = \"{name}.rs\"")),
            "api/{name}.rs: add its [[bin]] to api/Cargo.toml, the builder looks there"
        );
        assert!(destinations.contains(&format!("/api/{name}").into()), "api/{name}.rs: add its rewrite to vercel.json");
    }
}

#[test]
fn a_stream_ends_itself_before_its_function_is_ended() {
    let most = vercel()["functions"]["api/events.rs"]["maxDuration"].as_u64().expect("seconds");
    let example = std::fs::read_to_string(root().join(".env.example")).expect("text");
    let stream: u64 = example.lines().find_map(|line| line.strip_prefix("NOFX_STREAM_S=")?.parse().ok()).expect("seconds");
    assert!(stream + 30 <= most, "NOFX_STREAM_S={stream} against maxDuration {most}");
}

#[test]
fn a_function_that_executes_steps_answers_before_it_is_ended() {
    let most = vercel()["functions"]["api/execute.rs"]["maxDuration"].as_u64().expect("seconds");
    let steps = nofx_shared::drivers::FUNCTION_TIMEOUT_S;
    assert!(steps + 15 <= most, "steps take {steps} s, maxDuration is {most}");
}

#[test]
fn only_public_files_are_published() {
    assert_eq!(vercel()["outputDirectory"], "public", "without it the sources are published");
}

#[test]
fn nothing_that_is_deployed_asks_a_person() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert_eq!(vercel()["env"]["NON_INTERACTIVE_MODE"], "true", "vercel.json");
    assert!(read("worker/Dockerfile").contains(" NON_INTERACTIVE_MODE=true"), "worker/Dockerfile");
    assert!(read("worker/deploy/service.yaml").contains("{ Name: NON_INTERACTIVE_MODE, Value: \"true\" }"), "worker/deploy/service.yaml");
    for workflow in files(&[".github/workflows"], &["yml"]) {
        let text = read(workflow.to_str().expect("text"));
        assert!(text.contains("\nenv:\n  NON_INTERACTIVE_MODE: \"true\"\n"), "{}: add it to its `env`", workflow.display());
    }
}

#[test]
fn no_worker_gets_what_signs_the_tokens_of_people() {
    for template in files(&["worker"], &["yaml"]).into_iter().chain(["worker/Dockerfile".into()]) {
        let text = std::fs::read_to_string(root().join(&template)).expect("text");
        assert!(!text.contains("JWT_SECRET"), "{}: it is a setting of the API only", template.display());
    }
}

/// What a container has on Fargate, which can take of it and give nothing.
const USUAL_CAPABILITIES: [&str; 14] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

#[test]
fn a_deployed_supervisor_keeps_four_rights_and_its_root_is_read_only() {
    let template = std::fs::read_to_string(root().join("worker/deploy/service.yaml")).expect("text");
    let task = template.split("\n  Task:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("the task of workers");
    let dropped: Vec<&str> =
        task.split("Drop: [").nth(1).and_then(|rest| rest.split(']').next()).expect("Drop").split(',').map(str::trim).collect();
    let kept: Vec<&str> = USUAL_CAPABILITIES.into_iter().filter(|one| !dropped.contains(one)).collect();
    assert_eq!(kept, ["CHOWN", "KILL", "SETGID", "SETUID"], "worker/deploy/service.yaml: Drop");
    for line in ["          User: \"0\"", "          ReadonlyRootFilesystem: true"] {
        assert!(task.lines().any(|one| one == line), "worker/deploy/service.yaml: {line:?}");
    }
    assert!(!task.contains("Add:") && !task.contains("Privileged"), "worker/deploy/service.yaml: nothing is added");
}

#[test]
fn the_templates_are_valid() {
    let templates = files(&["worker/deploy"], &["yaml"]);
    assert_eq!(templates.len(), 3);
    let output =
        Command::new(target().join("python/bin/cfn-lint")).args(&templates).output().expect("scripts/bootstrap-dev.sh --tests installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_worker_interrupts_its_steps_before_it_is_killed() {
    let template = std::fs::read_to_string(root().join("worker/deploy/service.yaml")).expect("text");
    let number = |after: &str| -> u64 {
        let rest = template.split(after).nth(1).unwrap_or_else(|| panic!("{after}"));
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().expect("a number")
    };
    assert!(number("NOFX_DRAIN_S, Value: \"") + 10 <= number("StopTimeout: "), "the drain must end well before StopTimeout");
}

#[test]
fn the_workflows_are_valid() {
    let output = Command::new("node").arg("tests/tidy/workflows.mjs").current_dir(root()).output().expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
}
