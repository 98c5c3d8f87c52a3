use nofx_tests::people::status;
use nofx_tests::stack::root;
use nofx_tests::{Person, Tenant};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_run_as_they_are_through_the_cli() {
    let tenant = Tenant::new().await;
    let (author, supervisor) = (tenant.contributor(), tenant.supervisor());
    for name in ["hello.json", "fan-out.yaml"] {
        let path = root().join("examples").join(name);
        let printed = author.nofx(&["run", &path.to_string_lossy(), "--watch"]);
        assert_eq!(printed.code, Some(0), "{name}: {printed:?}");
    }
    let path = root().join("examples/gated-repo.json");
    let printed = author.nofx(&["run", &path.to_string_lossy()]);
    let id = printed.out.trim();
    let run = supervisor.wait(id, |run| status(run, "approve") == "waiting").await;
    let gates = run["gates"].as_array().expect("gates");
    let gate = gates.iter().find(|gate| gate["status"] == "pending").and_then(|gate| gate["id"].as_str()).expect("a pending gate");
    assert_eq!(supervisor.nofx(&["approve", gate, "--reason", "looks good"]).code, Some(0));
    let run = supervisor.end(id).await;
    assert_eq!(
        (run["status"].as_str(), status(&run, "promote"), status(&run, "promote broken branch")),
        (Some("succeeded"), "succeeded", "skipped")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_code_shows_how_a_run_ended() {
    let author = Tenant::new().await.contributor();
    let folder = tempfile::tempdir().expect("a folder");
    for (tool, code) in [("fail", 1), ("manual:look", 3)] {
        let path = folder.path().join("plan.json");
        let plan = json!({"goal": tool, "steps": [{"name": "a", "tool": tool, "inputs": {}}]});
        std::fs::write(&path, plan.to_string()).expect("written");
        let (watcher, file) = (Person::with_token(&author.token), path.to_string_lossy().into_owned());
        let watching = tokio::task::spawn_blocking(move || watcher.nofx(&["run", &file, "--watch"]));
        if tool == "manual:look" {
            let begun = std::time::Instant::now();
            let id = loop {
                let (_, page) = author.get("/api/runs?goal=manual:look").await;
                if let Some(id) = page["data"][0]["id"].as_str() {
                    break id.to_owned();
                }
                assert!(begun.elapsed().as_secs() < 60, "it was not submitted");
                tokio::time::sleep(std::time::Duration::from_millis(25)).await;
            };
            assert_eq!(author.post(&format!("/api/runs/{id}/cancel"), json!({})).await.0, 200);
        }
        let printed = watching.await.expect("it ends");
        assert_eq!(printed.code, Some(code), "{tool}: {printed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cli_says_what_is_wrong_with_a_plan_and_exits_with_2() {
    let person = Tenant::new().await.contributor();
    let path = std::env::temp_dir().join(format!("nofx-bad-{}.json", uuid::Uuid::now_v7()));
    std::fs::write(&path, r#"{"steps": [{"name": "a", "tool": "nothing"}]}"#).expect("written");
    let printed = person.nofx(&["run", &path.to_string_lossy()]);
    std::fs::remove_file(&path).expect("removed");
    assert_eq!(printed.code, Some(2));
    assert!(printed.err.contains("/steps/0/tool") && printed.err.contains("unknown tool"), "{printed:?}");
}
