use nofx_tests::Tenant;
use nofx_tests::people::step;
use nofx_tests::plans::open_folder;
use serde_json::json;

#[tokio::test]
async fn what_ran_out_of_attempts_is_inspected_requeued_and_purged() {
    let tenant = Tenant::new().await;
    let (person, supervisor) = (tenant.contributor(), tenant.supervisor());
    let folder = open_folder();
    let again = folder.path().join("again");
    let script = format!("if [ -e {} ]; then echo done; else echo no >&2; exit 3; fi", again.display());
    let plan = json!({"goal": "dead", "steps": [
        {"name": "flaky", "tool": "bash", "retry": {"max_attempts": 1}, "inputs": {"script": script}}, {"name": "after", "tool": "noop"}]});
    let run = person.run(plan).await;
    assert_eq!((run["status"].as_str(), step(&run, "after")["status"].as_str()), (Some("failed"), Some("skipped")));

    let (_, page) = person.get("/api/dlq?tool=bash").await;
    let dead_letter = &page["data"][0];
    assert_eq!(
        (dead_letter["reason"].as_str(), dead_letter["name"].as_str(), &dead_letter["inputs"]["script"]),
        (Some("exhausted"), Some("flaky"), &json!(script))
    );
    assert!(dead_letter["error"]["chain"].as_array().is_some_and(|chain| chain.len() == 1), "{dead_letter}");
    assert_eq!(dead_letter["evidence"][0]["name"], "log-1.txt", "what it left is named");
    let id = dead_letter["id"].as_str().expect("an id");
    assert_eq!(person.get(&format!("/api/dlq/{id}")).await.1["id"], *id);

    assert_eq!(person.post("/api/dlq/requeue", json!({})).await.0, 400, "nothing is not everything");
    let (_, tried) = person.post("/api/dlq/requeue", json!({"tool": "bash", "dry_run": true})).await;
    assert_eq!((tried["requeued"][0].as_str(), &tried["dry_run"]), (Some(id), &json!(true)));
    std::fs::write(again, "").expect("written");
    let (_, done) = person.post("/api/dlq/requeue", json!({"ids": [id]})).await;
    assert_eq!(done["requeued"], json!([id]));
    let run = person.end(run["id"].as_str().expect("an id")).await;
    assert_eq!((run["status"].as_str(), step(&run, "after")["status"].as_str()), (Some("succeeded"), Some("succeeded")), "{run}");
    assert_eq!(person.get("/api/dlq").await.1["data"], json!([]));

    let lost = person
        .run(json!({"goal": "lost", "steps": [{"name": "f", "tool": "fail", "retry": {"max_attempts": 1}, "inputs": {"transient": true}}]}))
        .await;
    assert_eq!(lost["status"], "failed");
    assert_eq!(person.post("/api/dlq/purge", json!({"all": true})).await.0, 403, "for supervisors");
    let (_, purged) = supervisor.post("/api/dlq/purge", json!({"reason": "exhausted"})).await;
    assert_eq!(purged["purged"].as_array().map(Vec::len), Some(1), "{purged}");
    assert_eq!(person.get("/api/dlq").await.1["data"], json!([]));
    let (_, record) = supervisor.get("/api/audit").await;
    let actions: Vec<&str> = record["data"].as_array().expect("rows").iter().filter_map(|row| row["action"].as_str()).collect();
    assert_eq!(actions, ["run.submitted", "dlq.requeued", "run.submitted", "dlq.purged"], "{record}");
}
