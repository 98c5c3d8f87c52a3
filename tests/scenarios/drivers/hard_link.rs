//! A file of another user that has a name in a workspace, too. The kernels of today let no step make one (`fs.protected_hardlinks`): others do, and
//! root does it here.

use nofx_tests::Tenant;
use nofx_tests::people::step;
use nofx_tests::plans::plan;
use nofx_tests::stack::workspace;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_another_user_is_no_artifact_by_whatever_name() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let person = Tenant::new().await.contributor();
    let script = "echo own > b; ln b a; touch begun; until [ -e go ]; do sleep 0.05; done";
    let own = json!({"name": "try", "tool": "bash", "retry": {"max_attempts": 1}, "inputs": {"script": script, "artifacts": ["a"]}});
    let mut ended = vec![];
    for is_foreign in [false, true] {
        let run = person.submit(plan(vec![own.clone()])).await;
        while !workspace(&run).join("begun").exists() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let folder = workspace(&run);
        if is_foreign {
            // Everybody may read it, and nobody but its owner may give it away.
            let outside = folder.with_extension("outside");
            std::fs::write(&outside, "of another user").expect("a file");
            std::fs::remove_file(folder.join("a")).expect("removed");
            std::fs::hard_link(&outside, folder.join("a")).expect("root may");
            std::fs::remove_file(folder.join("b"))
                .and_then(|()| std::fs::rename(&outside, folder.join("b")))
                .expect("both in the workspace");
        }
        std::fs::write(folder.join("go"), "").expect("written");
        ended.push(person.end(&run).await);
    }
    assert_eq!(step(&ended[0], "try")["status"], "succeeded", "a hard link of its own: {}", ended[0]);
    let refused = step(&ended[1], "try");
    let message = refused["error"]["message"].as_str().unwrap_or_default();
    assert!(refused["status"] == "failed" && message.contains("hard link to a file of another user"), "{refused}");
    assert!(ended[1]["artifacts"].as_array().is_none_or(|all| all.iter().all(|one| one["name"] != "a")), "{}", ended[1]);
}
