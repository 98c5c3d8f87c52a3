use std::time::Duration;

use nofx_tests::Tenant;
use nofx_tests::people::step;
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn the_newest_lines_of_a_chatty_step_are_read_while_it_runs() {
    let person = Tenant::new().await.contributor();
    let flag = std::env::temp_dir().join(format!("nofx-flag-{}", Uuid::now_v7().simple()));
    // Three megabytes at once, more than the worker holds for its chunks, then a line that is longer than any chunk.
    let script = format!(
        "until_told() {{ until [ -e {}-$1 ]; do sleep 0.1; done; }}
        echo first; until_told 1; seq 1000001 1400000; head -c 300000 /dev/zero | tr '\\0' x; echo; echo the newest; until_told 2",
        flag.display()
    );
    let plan = json!({"goal": "log", "steps": [{"name": "talk", "tool": "bash", "inputs": {"script": script}}]});
    let run = person.submit(plan).await;
    let shown = person.wait(&run, |run| run["steps"][0]["status"] == "running").await;
    let log = format!("/api/runs/{run}/steps/{}/log", step(&shown, "talk")["id"].as_str().expect("an id"));

    let (mut text, mut after) = (String::new(), 0);
    for (n, wanted) in [(1, "first\n"), (2, "the newest\n")] {
        while !text.contains(wanted) {
            let (status, chunk) = person.get(&format!("{log}?after={after}")).await;
            assert_eq!(status, 200, "{chunk}");
            text.push_str(chunk["text"].as_str().expect("text"));
            after = chunk["after"].as_u64().expect("an offset");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        std::fs::write(format!("{}-{n}", flag.display()), "").expect("written");
    }
    assert!(text.starts_with("first\n"), "{}", &text[..100]);
    assert!(after > 3 << 20, "the offset counts what is left out: {after}");
    assert!(text.contains("bytes of output are left out here]\n"), "a line says so");
    let numbers: Vec<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
    assert!(numbers.iter().all(|number| (1_000_001..=1_400_000).contains(number)), "whole lines only");
    assert!(numbers.is_sorted_by(|a, b| a < b), "each once, in order");
    assert!(!text.contains("xx"), "nothing of the line that is too long");

    assert_eq!(person.end(&run).await["status"], "succeeded");
}

#[tokio::test]
async fn a_nul_in_the_output_of_a_step_is_stored_as_another_character() {
    let person = Tenant::new().await.contributor();
    let run = person
        .run(json!({"goal": "nul", "steps": [
        {"name": "good", "tool": "bash", "inputs": {"script": "printf 'a\\0b'"}},
        {"name": "bad", "tool": "bash", "on_failure": "continue", "inputs": {"script": "printf 'c\\0d' >&2; exit 3"}}]}))
        .await;
    assert_eq!(run["status"], "succeeded", "{run}");
    assert_eq!(step(&run, "good")["outputs"]["stdout"], "a\u{fffd}b");
    assert_eq!(step(&run, "bad")["error"]["details"]["exit_code"], 3, "{run}");
}
