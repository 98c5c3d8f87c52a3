//! A worker whose kernel has no Landlock, as Fargate's, and whose operator wants L2: programs of plans run on machines of their own, and what the
//! worker itself runs over their workspaces has the best level that there is.
#![expect(clippy::disallowed_methods, reason = "starts a stack by another program")]

use std::process::Command;

use nofx_tests::fakes::e2b::E2b;
use nofx_tests::own::Own;
use nofx_tests::people::step;
use nofx_tests::stack::binary;
use serde_json::json;

/// Takes `landlock_create_ruleset` (444 on every architecture) from itself and from the program that it becomes.
const WITHOUT_LANDLOCK: &str = "import ctypes, os, struct, sys
rules = b''.join(struct.pack('HBBI', *rule) for rule in [(32, 0, 0, 0), (21, 0, 1, 444), (6, 0, 0, 0x50000 + 38), (6, 0, 0, 0x7fff0000)])
rules = ctypes.create_string_buffer(rules)
program = ctypes.create_string_buffer(struct.pack('HxxxxxxP', 4, ctypes.addressof(rules)))
assert ctypes.CDLL(None, use_errno=True).prctl(22, 2, program) == 0, ctypes.get_errno()
os.execv(sys.argv[1], sys.argv[1:])";

#[tokio::test(flavor = "multi_thread")]
async fn steps_go_to_a_machine_and_have_a_workspace() {
    // The filter takes its right, and L1 users of steps.
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let e2b = E2b::start().await;
    let given = e2b.settings();
    let mut settings: Vec<(&str, &str)> = given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    settings.push(("NOFX_L4_DRIVER", "e2b"));
    let mut python = Command::new("python3");
    python.args(["-I", "-c", WITHOUT_LANDLOCK]).arg(binary());
    let own = Own::start_by(python, &Own::folder("without-landlock"), &["--workers", "1"], &settings);
    let dev = own.dev();
    let port = dev["db_url"].as_str().and_then(|url| url.rsplit_once(':')).expect("a port").1;
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    // Git runs the filter here: it has a user of its own, and no way to any service.
    let make = format!(
        "git init -q . && git config user.name x && git config user.email x@example.com && echo one > f && git add f && git commit -qm one
        printf '#!/bin/bash\\n{{ exec 3<>/dev/tcp/127.0.0.1/{port} && echo connected || echo refused; id -u; }} >> seen 2>/dev/null; cat' > m.sh
        chmod +x m.sh; git config filter.x.clean ./m.sh; echo '* filter=x' > .gitattributes; echo two > f; rm -f seen"
    );
    let once = json!({"max_attempts": 1});
    let run = own
        .run(&json!({"goal": "no Landlock", "steps": [
            {"name": "make", "tool": "bash", "retry": once, "inputs": {"script": make}},
            {"name": "judge", "tool": "gate:unit", "needs": ["make"], "retry": once, "inputs": {"command": "test -s f"}},
            {"name": "commit", "tool": "git:commit", "needs": ["judge"], "retry": once, "inputs": {"message": "m"}},
            {"name": "look", "tool": "bash", "needs": ["commit"], "retry": once, "inputs": {"script": "git log --format=%s; sort -u seen"}}]}))
        .await;
    assert_eq!(run["status"], "succeeded", "{run}");
    for name in ["make", "judge", "look"] {
        let held = &step(&run, name)["attempts"][0]["isolation"];
        assert_eq!(
            (&held["driver"], &held["level"], &held["workspace_level"]),
            (&json!("e2b"), &json!("L4"), &json!("L1")),
            "{name}: {run}"
        );
    }
    let held = &step(&run, "commit")["attempts"][0]["isolation"];
    assert_eq!((&held["driver"], &held["level"], &held["landlock_abi"]), (&json!("worker-container"), &json!("L1"), &json!(null)), "{run}");
    let seen: Vec<&str> = step(&run, "look")["outputs"]["stdout"].as_str().expect("text").lines().collect();
    assert_eq!(seen[..2], ["m", "one"], "{seen:?}");
    assert!(seen.contains(&"refused") && !seen.contains(&"connected"), "{seen:?}");
    assert!(
        seen.iter().any(|line| line.parse().is_ok_and(|uid: u32| (20_000..=59_999).contains(&uid))),
        "the filter ran as the step: {seen:?}"
    );

    let here = json!({"name": "try", "tool": "bash", "driver": "worker-container", "retry": once, "inputs": {"script": "echo ran"}});
    let refused = own.run(&json!({"goal": "no Landlock", "steps": [here]})).await;
    let tried = step(&refused, "try");
    let message = tried["error"]["message"].as_str().unwrap_or_default();
    assert!(tried["status"] == "failed" && message.contains("is L2, which the host of this worker does not offer"), "{tried}");
    assert!(message.contains("NOFX_L4_DRIVER") && tried["attempts"][0]["isolation"].is_null(), "{tried}");
}
