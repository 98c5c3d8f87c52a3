use nofx_tests::Tenant;
use nofx_tests::people::{status, step};
use nofx_tests::repository::Repository;
use serde_json::{Value, json};

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
    assert_eq!(step(&run, "see")["outputs"]["stdout"].as_str().map(str::trim), Some("made"), "a step has what those before it left");

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

fn bash(name: &str, needs: &[&str], script: &str) -> Value {
    json!({"name": name, "tool": "bash", "needs": needs, "retry": {"max_attempts": 1}, "inputs": {"script": script}})
}

#[tokio::test]
async fn a_step_finds_what_its_needs_left_and_nothing_of_others() {
    let person = Tenant::new().await.contributor();
    let mut each = bash("each", &["first"], "cat one; test $(ls | wc -l) = 1; echo $ITEM > item-$ITEM");
    each["for_each"] = json!("[1, 2]");
    each["env"] = json!({"ITEM": "${{ item }}"});
    let mut fails = bash("fails", &["first"], "echo half > half; exit 3");
    fails["on_failure"] = json!("continue");
    let steps = vec![
        bash("first", &[], "echo 1 > one"),
        bash("beside", &[], "test ! -e one"),
        each,
        fails,
        bash("after", &["each"], "cat one item-1 item-2"),
        bash("on", &["fails"], "test ! -e half; cat one"),
    ];
    let run = person.run(json!({"goal": "see", "steps": steps})).await;
    assert_eq!(step(&run, "after")["outputs"]["stdout"], "1\n1\n2\n", "{run}");
    assert_eq!(step(&run, "on")["outputs"]["stdout"], "1\n", "a step that failed leaves nothing: {run}");
    assert_eq!(status(&run, "beside"), "succeeded", "{run}");
}

#[tokio::test]
async fn what_git_keeps_is_there_for_the_next_step_and_a_secret_is_not() {
    let (repository, person) = (repository(), Tenant::new().await.contributor());
    let plan = |steps: Vec<Value>| json!({"goal": "keep", "workspace": repository.workspace("main"), "steps": steps});
    let keep = bash("keep", &[], "echo changed > add.sh; git stash -q; git config user.name me; git checkout -q -b own");
    let see = bash("see", &["keep"], "git config user.name; git rev-parse --abbrev-ref HEAD; git stash pop -q; cat add.sh");
    let run = person.run(plan(vec![keep, see])).await;
    assert_eq!(step(&run, "see")["outputs"]["stdout"], "me\nown\nchanged\n", "{run}");

    let mut writes = bash("writes", &[], "echo $TEST_TOKEN > token");
    writes["secrets"] = json!(["TEST_TOKEN"]);
    let run = person.run(plan(vec![writes, bash("reads", &["writes"], "cat token")])).await;
    let message = step(&run, "writes")["error"]["message"].as_str().expect("a message").to_owned();
    assert!(message.contains("`token` contains a secret of the step"), "{message}");
    assert!(!run.to_string().contains("hunter2"), "{run}");
}

#[tokio::test]
async fn what_git_was_told_to_hide_is_judged_as_it_is() {
    let (repository, tenant) = (repository(), Tenant::new().await);
    let policy = json!({"tool": "git:commit", "requires": [{"gate": "gate:unit", "command": "*", "format": "pytest"}]});
    assert_eq!(tenant.admin().post("/api/gates/policies", policy).await.0, 200);
    let hide = "echo 'echo evil' > add.sh; git add add.sh; git update-index --assume-unchanged add.sh; echo 'echo good' > add.sh";
    let unit = "test $(bash add.sh) = good; echo '1 passed in 0.1s'";
    let run = tenant
        .contributor()
        .run(json!({"goal": "hide", "workspace": repository.workspace("main"), "steps": [
            bash("hide", &[], hide),
            {"name": "unit", "tool": "gate:unit", "needs": ["hide"], "inputs": {"command": unit, "format": "pytest"}},
            {"name": "commit", "tool": "git:commit", "needs": ["unit"], "inputs": {"message": "It was good"}}]}))
        .await;
    assert_eq!(status(&run, "unit"), "succeeded", "{run}");
    let message = step(&run, "commit")["error"]["message"].as_str().expect("a message").to_owned();
    assert!(message.contains("was not judged"), "{message}");
}
