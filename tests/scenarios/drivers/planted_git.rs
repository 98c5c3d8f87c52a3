//! What a step leaves in the place of git's own files: it fails at once, the failure names the file, and no git waits for it. So does a gate
//! whose own command leaves it.

use futures::future::join_all;
use nofx_tests::Tenant;
use nofx_tests::people::{Person, status, step};
use nofx_tests::plans::plan;
use serde_json::json;

const REPOSITORY: &str = "git init -q . && git config user.name x && git config user.email x@example.com && echo one > a.py && git add a.py
    git commit -qm one && git pack-refs --all && mkdir sub && echo two > a.py\n";

async fn refused(person: &Person, plant: &str, why: &str) {
    let retry = json!({"max_attempts": 3, "initial_ms": 10});
    let script = format!("{REPOSITORY}{plant}");
    let run = person
        .run(plan(vec![
            json!({"name": "plant", "tool": "bash", "retry": retry, "needs": [], "timeout_s": 120, "inputs": {"script": script}}),
            json!({"name": "after", "tool": "gate:secrets", "needs": ["plant"]}),
            json!({"name": "make", "tool": "bash", "needs": [], "inputs": {"script": REPOSITORY}}),
            json!({"name": "judge", "tool": "gate:unit", "retry": retry, "needs": ["make"], "timeout_s": 120, "inputs": {"command": plant}}),
            json!({"name": "after that", "tool": "noop", "needs": ["judge"]}),
        ]))
        .await;
    for name in ["plant", "judge"] {
        let tried = step(&run, name);
        let message = tried["error"]["message"].as_str().unwrap_or_default();
        assert!(tried["status"] == "failed" && message.contains(why), "{plant}, {name}: {tried}");
        assert_eq!(tried["attempts"].as_array().map(Vec::len), Some(1), "{plant}, {name}: {tried}");
    }
    assert_eq!((status(&run, "after"), status(&run, "after that")), ("skipped", "skipped"), "{plant}: {run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_fails_that_leaves_what_git_would_wait_for() {
    let person = Tenant::new().await.contributor();
    let cases = [
        ("rm -r .git; mkfifo .git", "`.git` is a fifo"),
        ("mv .git real; ln -s real .git", "`.git` is a link"),
        ("rm .git/HEAD; mkfifo .git/HEAD", "`.git/HEAD` is a fifo"),
        ("rm .git/config; ln -s /dev/zero .git/config", "`.git/config` is a link"),
        ("truncate -s 10G .git/config", "`.git/config` is a file of 10737418240 bytes"),
        ("truncate -s 20G .git/index", "`.git/index` is a file of 21474836480 bytes"),
        ("rm .git/packed-refs; mkfifo .git/packed-refs", "`.git/packed-refs` is a fifo"),
        ("rm -r .git/objects; mkfifo .git/objects", "`.git/objects` is a fifo"),
        ("mkfifo sub/.gitattributes", "`sub/.gitattributes` is a fifo"),
        (
            "perl -e 'for (1 .. 1500) { mkdir q(d); chdir q(d) or die } mkdir q(.git); system(qw(mkfifo .git/HEAD)) and die'",
            ".git/HEAD` is a fifo",
        ),
    ];
    join_all(cases.map(|(plant, why)| refused(&person, plant, why))).await;
}
