//! What a step leaves for whoever reads its workspace next: links, fifos, devices, programs in git's settings. Each is read as the user of
//! the step, never waited for, and only up to a limit.

use nofx_tests::Tenant;
use nofx_tests::people::{Person, step};
use nofx_tests::plans::plan;
use serde_json::{Value, json};

async fn tried(person: &Person, script: &str, inputs: Value) -> Value {
    let mut inputs = inputs;
    inputs["script"] = json!(script);
    let one = json!({"name": "try", "tool": "bash", "retry": {"max_attempts": 1}, "inputs": inputs});
    let run = person.run(plan(vec![one])).await;
    step(&run, "try").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_file_that_is_something_else_is_refused_at_once() {
    let person = Tenant::new().await.contributor();
    for (script, why) in [
        ("rm -f $NOFX_OUTPUT; ln -s /etc/hostname $NOFX_OUTPUT", "out of the workspace"),
        ("rm -f $NOFX_OUTPUT; ln -s /proc/self/environ $NOFX_OUTPUT", "out of the workspace"),
        ("rm -f $NOFX_OUTPUT; mkfifo $NOFX_OUTPUT", "not a regular file"),
        ("rm -f $NOFX_OUTPUT; mkdir $NOFX_OUTPUT", "not a regular file"),
        // A file may have 20 GiB.
        ("truncate -s 10G $NOFX_OUTPUT", "larger than"),
        ("head -c 300000 /dev/zero > $NOFX_OUTPUT", "larger than"),
        ("echo '[1]' > $NOFX_OUTPUT", "not a JSON object"),
    ] {
        let refused = tried(&person, script, json!({})).await;
        let message = refused["error"]["message"].as_str().unwrap_or_default();
        assert!(refused["status"] == "failed" && message.contains(why), "{script}: {refused}");
    }
    let fine = tried(&person, "echo '{\"v\": 1}' > $NOFX_OUTPUT", json!({})).await;
    assert_eq!(fine["outputs"]["v"], 1, "{fine}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_that_is_something_else_is_not_saved() {
    let person = Tenant::new().await.contributor();
    for (script, why) in [
        ("ln -s /etc/hostname a", "out of the workspace"),
        ("mkfifo a", "not a regular file"),
        ("mkdir a", "not a regular file"),
        ("true", "is not there"),
    ] {
        let refused = tried(&person, script, json!({"artifacts": ["a"]})).await;
        let message = refused["error"]["message"].as_str().unwrap_or_default();
        assert!(refused["status"] == "failed" && message.contains(why), "{script}: {refused}");
    }
    for name in ["../a", "/etc/hostname", ".git/config", "a\nb", ""] {
        assert_eq!(tried(&person, "true", json!({"artifacts": [name]})).await["status"], "failed", "{name:?}");
    }
}

/// Git reads the settings of the workspace, so whatever it runs there it runs as the step's user.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_planted_in_gits_settings_runs_as_the_step_or_not_at_all() {
    let person = Tenant::new().await.contributor();
    let plant =
        "git init -q . && git config user.name x && git config user.email x@example.com && echo one > f && git add f && git commit -qm one
        printf '#!/bin/sh\\nid -u >> who; cat' > m.sh && chmod +x m.sh
        git config filter.x.clean ./m.sh && git config filter.x.smudge ./m.sh && git config diff.x.textconv ./m.sh
        echo '* filter=x diff=x' > .gitattributes; echo two > f; rm -f who; id -u > me";
    let look = "cat me; sort -u who 2>/dev/null || true";
    let run = person
        .run(plan(vec![
            json!({"name": "plant", "tool": "bash", "inputs": {"script": plant}}),
            json!({"name": "judge", "tool": "gate:secrets", "needs": ["plant"], "on_failure": "continue"}),
            json!({"name": "commit", "tool": "git:commit", "needs": ["judge"], "on_failure": "continue", "inputs": {"message": "m"}}),
            json!({"name": "look", "tool": "bash", "needs": ["commit"], "inputs": {"script": look}}),
        ]))
        .await;
    let ids: Vec<&str> = step(&run, "look")["outputs"]["stdout"].as_str().expect("text").lines().collect();
    assert!(ids.len() > 1, "the filter ran: {run}");
    // Each step is a user of its own, if it has a folder of its own.
    assert!(ids.iter().all(|id| *id != "0" && *id != "10001"), "{ids:?}");
}

/// Git runs what a step left, so it has no more than the step that it runs for.
#[tokio::test(flavor = "multi_thread")]
async fn git_has_the_level_and_the_limits_of_its_step_and_counts_as_its_own() {
    let person = Tenant::new().await.contributor();
    let plant =
        "git init -q . && git config user.name x && git config user.email x@example.com && echo one > f && git add f && git commit -qm one
        printf '#!/bin/sh\\necho $(ulimit -t) $(readlink /proc/self/ns/pid) >> seen; cat' > m.sh && chmod +x m.sh
        git config filter.x.clean ./m.sh; echo '* filter=x' > .gitattributes; echo two > f; rm -f seen; readlink /proc/self/ns/pid";
    let judge = json!({"name": "judge", "tool": "gate:secrets", "needs": ["plant"], "on_failure": "continue", "min_isolation": "L3",
        "resources": {"cpu_s": 77}});
    let run = person
        .run(plan(vec![
            json!({"name": "plant", "tool": "bash", "inputs": {"script": plant}}),
            judge,
            json!({"name": "seen", "tool": "bash", "needs": ["judge"], "inputs": {"script": "cat seen 2>/dev/null || echo nothing"}}),
            json!({"name": "commit", "tool": "git:commit", "needs": ["seen"], "inputs": {"message": "m"}, "resources": {"cpu_s": 78}}),
            json!({"name": "seen again", "tool": "bash", "needs": ["commit"], "inputs": {"script": "sort -u seen"}}),
        ]))
        .await;
    let stdout = |name: &str| step(&run, name)["outputs"]["stdout"].as_str().unwrap_or_else(|| panic!("{name}: {run}")).to_owned();
    let host = stdout("plant").trim().to_owned();
    let (judged, committed) = (stdout("seen"), stdout("seen again"));
    assert_eq!(judged, "nothing\n", "no filter decides what a gate sees");
    assert_eq!(committed.trim(), format!("78 {host}"), "at L2 it sees the processes of the machine");
    for (name, level, cpu_s) in [("judge", "L3", 77), ("commit", "L2", 78)] {
        let attempt = &step(&run, name)["attempts"][0];
        assert_eq!((&attempt["isolation"]["level"], &attempt["isolation"]["limits"]["cpu_s"]), (&json!(level), &json!(cpu_s)), "{attempt}");
        assert!(attempt["usage"]["wall_ms"].as_u64().is_some_and(|ms| ms > 0), "no program but git ran: {attempt}");
    }
    assert_eq!(person.evidence(&run, "judge").await["isolation"]["level"], "L3");
}

/// Each ends by itself, at its first attempt.
fn ended(run: &Value, names: &[&str]) {
    for name in names {
        let tried = step(run, name);
        let is_ended = ["failed", "succeeded"].contains(&tried["status"].as_str().unwrap_or_default());
        assert!(is_ended && tried["attempts"].as_array().map(Vec::len) == Some(1), "{name}: {tried}");
    }
}

/// A step after the one that plants.
fn after(name: &str, tool: &str, inputs: &Value) -> Value {
    json!({"name": name, "tool": tool, "needs": ["plant"], "on_failure": "continue", "retry": {"max_attempts": 1}, "inputs": inputs})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_gate_reads_may_be_anything() {
    let person = Tenant::new().await.contributor();
    // A path has 4,095 bytes at most.
    let (levels, files) = (1000, if nofx_tests::suite::is_long() { 200_000 } else { 2000 });
    let plant = format!(
        "git init -q . && git config user.name x && git config user.email x@example.com && echo one > a.py
        printf '%s\\n' '*' '!a.py' > .gitignore && git add -f a.py .gitignore && git commit -qm one; echo two > a.py
        mkfifo package.json Cargo.lock coverage.xml requirements.txt; ln -s /dev/zero uv.lock
        truncate -s 10G lcov.info; ln -s /etc/passwd link.info; ln -s /dev/zero device.info; mkdir folder.info
        d=.; for i in $(seq {levels}); do d=$d/d; done; mkdir -p $d; seq {files} | sed s/^/f/ | xargs touch; ln -s / root; ln -s . self"
    );
    let coverage = |name: &str, report: &str| after(name, "gate:coverage", &json!({"base": "HEAD", "reports": [report]}));
    let run = person
        .run(plan(vec![
            json!({"name": "plant", "tool": "bash", "inputs": {"script": plant}}),
            after("audit", "gate:audit", &json!({})),
            after("secrets", "gate:secrets", &json!({})),
            after("unit", "gate:unit", &json!({"command": "rm -f r.xml; mkfifo r.xml", "report": "r.xml"})),
            after("lint", "gate:lint", &json!({"command": "rm -f l; ln -s /dev/zero l", "report": "l", "format": "eslint"})),
            after("types", "gate:typecheck", &json!({"command": "rm -rf t; mkdir t", "report": "t"})),
            after("sast", "gate:sast", &json!({"command": "truncate -s 10G s.sarif", "report": "s.sarif"})),
            coverage("fifo", "coverage.xml"),
            coverage("huge", "lcov.info"),
            coverage("link", "link.info"),
            coverage("device", "device.info"),
            coverage("folder", "folder.info"),
            after("usual", "gate:coverage", &json!({"base": "HEAD"})),
            after("write", "workspace:write", &json!({"files": {"coverage.xml/x": "x"}})),
        ]))
        .await;
    assert_eq!(step(&run, "plant")["status"], "succeeded", "{run}");
    ended(&run, &["secrets", "write"]);
    for name in ["audit", "unit", "lint", "types", "sast", "fifo", "huge", "link", "device", "folder", "usual"] {
        ended(&run, &[name]);
        assert_eq!(person.evidence(&run, name).await["verdict"], "inconclusive", "{name}: {run}");
    }
}

/// Its parent belongs to another user.
#[tokio::test(flavor = "multi_thread")]
async fn the_workspace_itself_cannot_be_replaced() {
    let person = Tenant::new().await.contributor();
    let script = "set +e; here=$PWD; cd /; mv $here $here.old 2>/dev/null && echo moved; rmdir $here 2>/dev/null && echo removed
        mv -T $here/. /tmp/x 2>/dev/null && echo moved; mkfifo $here.fifo 2>/dev/null && echo made; stat -c %F $here";
    assert_eq!(tried(&person, script, json!({})).await["outputs"]["stdout"], "directory\n");
}

/// What cannot be named is a finding: a gate that did not see a file does not pass.
#[tokio::test(flavor = "multi_thread")]
async fn files_with_names_of_any_bytes_are_scanned_or_named() {
    let person = Tenant::new().await.contributor();
    let key = format!("AKIA{}", "Q3EGRZV5XKUT7JNB");
    let (first, second) = key.split_at(9);
    for init in ["git init -q .", "true"] {
        let plant = format!(
            "{init}; key={first}; key=${{key}}{second}; long=$(printf 'n%.0s' $(seq 255)); mkdir a
            echo $key > a/$'\\xff\\xfe'; echo $key > $long; echo $key > $'line\\nend'; echo $key > ' '; echo $key > -rf; echo $key > $'\\xe2\\x80\\xaex'"
        );
        let run = person
            .run(plan(vec![
                json!({"name": "plant", "tool": "bash", "inputs": {"script": plant}}),
                after("judge", "gate:secrets", &json!({})),
                after("audit", "gate:audit", &json!({})),
                after("write", "workspace:write", &json!({"files": {"new": "x"}})),
            ]))
            .await;
        ended(&run, &["plant", "judge", "audit", "write"]);
        let evidence = person.evidence(&run, "judge").await;
        let findings = evidence["findings"].as_array().expect("findings");
        let rule_of = |name: &str| findings.iter().find(|one| one["file"] == name).map(|one| one["rule"].clone());
        for name in [&"n".repeat(255), "line\nend", " ", "-rf", "\u{202e}x"] {
            assert_eq!(rule_of(name), Some(json!("aws-access-key")), "{name:?}: {evidence}");
        }
        let is_unnamed = |one: &Value| one["rule"] == "unreadable" && one["file"].as_str().is_some_and(|file| file.starts_with('a'));
        assert!(findings.iter().any(is_unnamed), "{init}: {evidence}");
        assert_eq!(evidence["verdict"], "fail", "{init}: {evidence}");
    }
}
