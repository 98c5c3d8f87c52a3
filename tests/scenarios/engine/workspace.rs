#![expect(clippy::disallowed_methods, reason = "makes a git repository")]

use std::path::Path;
use std::process::Command;

use nofx_tests::Tenant;
use nofx_tests::people::{status, step};
use serde_json::json;

fn git(dir: &Path, arguments: &[&str]) {
    let done = Command::new("git")
        .current_dir(dir)
        .args(["-c", "user.name=Dev", "-c", "user.email=dev@example.com", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .output()
        .expect("git runs");
    assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A repository with a branch `main` that adds well and a branch `broken` that does not.
fn repository() -> std::path::PathBuf {
    let dir = std::env::temp_dir().join(format!("nofx-repo-{}", uuid::Uuid::now_v7().simple()));
    std::fs::create_dir(&dir).expect("a folder");
    git(&dir, &["init", "-q"]);
    std::fs::write(dir.join("add.sh"), "echo $(( $1 + $2 ))\n").expect("written");
    git(&dir, &["add", "-A"]);
    git(&dir, &["commit", "-qm", "add"]);
    git(&dir, &["checkout", "-qb", "broken"]);
    std::fs::write(dir.join("add.sh"), "echo 0\n").expect("written");
    git(&dir, &["commit", "-qam", "break it"]);
    git(&dir, &["checkout", "-q", "main"]);
    dir
}

#[tokio::test]
async fn a_gate_runs_in_a_checkout_of_the_ref_that_the_plan_names() {
    let (repository, person) = (repository(), Tenant::new().await.contributor());
    let plan = |git_ref: &str| {
        json!({"goal": "gate", "workspace": {"git": repository, "ref": git_ref}, "steps": [
            {"name": "unit", "tool": "gate:unit", "inputs": {"command": "test \"$(bash add.sh 2 3)\" = 5"}},
            {"name": "mark", "tool": "bash", "inputs": {"script": "echo made > mark && git rev-parse --abbrev-ref HEAD"}},
            {"name": "see", "tool": "bash", "inputs": {"script": "cat mark"}}]})
    };
    let run = person.run(plan("main")).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    assert_eq!(step(&run, "see")["outputs"]["stdout"].as_str().map(str::trim), Some("made"), "the steps of a run share its checkout");

    let run = person.run(plan("broken")).await;
    assert_eq!((run["status"].as_str(), status(&run, "unit"), status(&run, "mark")), (Some("failed"), "failed", "skipped"));
    assert!(!repository.join("mark").exists(), "the repository itself is not touched");
    std::fs::remove_dir_all(repository).expect("removed");
}

#[tokio::test]
async fn a_ref_that_is_not_there_fails_the_step_and_is_named() {
    let (repository, person) = (repository(), Tenant::new().await.contributor());
    let run = person
        .run(json!({"goal": "gate", "workspace": {"git": repository, "ref": "nowhere"}, "steps": [
            {"name": "unit", "tool": "gate:unit", "inputs": {"command": "true"}}]}))
        .await;
    let message = step(&run, "unit")["error"]["message"].as_str().expect("a message").to_owned();
    assert!(message.contains("nowhere"), "{message}");
    std::fs::remove_dir_all(repository).expect("removed");
}
