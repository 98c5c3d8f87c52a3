//! What a step leaves in the place of git's own files, before each tool that has git read them: the tool fails at once, names the file, and
//! no git waits for it.

use futures::future::join_all;
use nofx_tests::Tenant;
use nofx_tests::people::{Person, step};
use nofx_tests::plans::plan;
use nofx_tests::stack::workspace;
use serde_json::{Value, json};

const REPOSITORY: &str = "git init -q . && git config user.name x && git config user.email x@example.com && echo one > a.py && git add a.py
    git commit -qm one && git pack-refs --all && mkdir sub && echo two > a.py && echo '{}' > package-lock.json\n";

/// All that have git read the workspace, with what they need to come that far.
fn tools() -> Vec<Value> {
    let all = [
        ("git:branch", json!({"name": "b"})),
        ("git:commit", json!({"message": "m"})),
        ("git:push", json!({})),
        ("codegen", json!({"prompt": "write", "path": "a.md"})),
        ("gate:audit", json!({})),
        ("gate:coverage", json!({"base": "HEAD"})),
        ("gate:e2e_smoke", json!({"command": "touch ran"})),
        ("gate:lint", json!({"command": "touch ran"})),
        ("gate:sast", json!({"command": "touch ran"})),
        ("gate:secrets", json!({})),
        ("gate:typecheck", json!({"command": "touch ran"})),
        ("gate:unit", json!({"command": "touch ran"})),
    ];
    let step = |(tool, inputs): (&str, Value)| {
        json!({"name": tool.replace(':', "-"), "tool": tool, "needs": ["plant"], "on_failure": "continue", "retry": {"max_attempts": 1}, "timeout_s": 120,
            "inputs": inputs})
    };
    all.map(step).into()
}

async fn refused(person: &Person, plant: &str, why: &str) {
    let tools = tools();
    let names: Vec<String> = tools.iter().map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect();
    let mut steps = vec![json!({"name": "plant", "tool": "bash", "inputs": {"script": format!("{REPOSITORY}{plant}")}})];
    steps.extend(tools);
    let mut plan = plan(steps);
    plan["risky"] = json!(true);
    let run = person.run(plan).await;
    assert_eq!(step(&run, "plant")["status"], "succeeded", "{plant}: {run}");
    for name in names {
        let tried = step(&run, &name);
        let message = tried["error"]["message"].as_str().unwrap_or_default();
        assert!(tried["status"] == "failed" && message.contains(why), "{plant}, {name}: {tried}");
        assert_eq!(tried["attempts"].as_array().map(Vec::len), Some(1), "{plant}, {name}: {tried}");
    }
    let workspace = workspace(run["id"].as_str().expect("an id"));
    assert!(workspace.join("a.py").exists() && !workspace.join("ran").exists(), "{plant}: no command of a gate has run");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tool_refuses_what_git_would_wait_for() {
    let tenant = Tenant::new().await;
    let (status, policy) = tenant.admin().post("/api/gates/policies", json!({"tool": "git:*"})).await;
    assert!(status.is_success(), "a push that needs no gate: {policy}");
    let person = tenant.contributor();
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
