use nofx_tests::Tenant;
use nofx_tests::people::{status, step};
use nofx_tests::repository::Repository;
use serde_json::json;

/// A repository with a branch `main` that adds correctly and a branch `broken` that does not.
fn repository() -> Repository {
    let repository = Repository::new(&[("add.sh", "echo $(( $1 + $2 ))\n")]);
    repository.branch("broken");
    repository.commit(&[("add.sh", "echo 0\n")]);
    repository.git(&["checkout", "-q", "main"]);
    repository
}

#[tokio::test]
async fn a_gate_runs_in_a_checkout_of_the_ref_that_the_plan_names() {
    let (repository, person) = (repository(), Tenant::new().await.contributor());
    let plan = |git_ref: &str| {
        json!({"goal": "gate", "workspace": repository.workspace(git_ref), "steps": [
            {"name": "unit", "tool": "gate:unit", "inputs": {"command": "test \"$(bash add.sh 2 3)\" = 5"}},
            {"name": "mark", "tool": "bash", "inputs": {"script": "echo made > mark && git rev-parse --abbrev-ref HEAD"}},
            {"name": "see", "tool": "bash", "inputs": {"script": "cat mark"}}]})
    };
    let run = person.run(plan("main")).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    assert_eq!(step(&run, "see")["outputs"]["stdout"].as_str().map(str::trim), Some("made"), "the steps of a run share its checkout");

    let run = person.run(plan("broken")).await;
    assert_eq!((run["status"].as_str(), status(&run, "unit"), status(&run, "mark")), (Some("failed"), "failed", "skipped"));
    assert!(!repository.dir.join("mark").exists(), "the repository itself is not touched");
}

#[tokio::test]
async fn a_ref_that_is_not_there_fails_the_step_and_is_named() {
    let (repository, person) = (repository(), Tenant::new().await.contributor());
    let run = person
        .run(json!({"goal": "gate", "workspace": repository.workspace("nowhere"), "steps": [
            {"name": "unit", "tool": "gate:unit", "inputs": {"command": "true"}}]}))
        .await;
    let message = step(&run, "unit")["error"]["message"].as_str().expect("a message").to_owned();
    assert!(message.contains("nowhere"), "{message}");
}
