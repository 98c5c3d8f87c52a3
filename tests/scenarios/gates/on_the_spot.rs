//! `nofx gate run`: the gates of a working tree, without a stack.
#![expect(clippy::disallowed_methods, reason = "starts the CLI as a person would, and Python, which validates JSON Schemas")]

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use nofx_tests::own::Own;
use nofx_tests::repository::Repository;
use nofx_tests::stack::{binary, root, target};
use serde_json::{Value, json};

mod tools;

/// `nofx gate run` in a folder, with nothing that leads to a stack.
fn command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command
        .args(["gate", "run"])
        .args(arguments)
        .current_dir(dir)
        .env_remove("NOFX_API_URL")
        .env_remove("NOFX_TOKEN")
        .env_remove("NON_INTERACTIVE_MODE");
    command
}

/// The exit code, and what was printed.
fn judge(dir: &Path, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command(dir, arguments).output().expect("nofx starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status.code().expect("an exit code"), text(stdout), text(stderr))
}

/// The evidence of a gate, which the published schema allows.
fn evidence(dir: &Path, name: &str) -> Value {
    let file = dir.join(".nofx/gates").join(name);
    let program = "import json, sys
from jsonschema import Draft202012Validator
check = Draft202012Validator(json.load(open(sys.argv[1])), format_checker=Draft202012Validator.FORMAT_CHECKER)
errors = [e.message for e in check.iter_errors(json.load(open(sys.argv[2])))]
print(errors); sys.exit(len(errors))";
    let checked = Command::new(target().join("python/bin/python"))
        .args(["-c", program])
        .args([&root().join("docs/interface/evidence.schema.json"), &file])
        .output()
        .expect("scripts/bootstrap-dev.sh --tests installs it");
    assert!(checked.status.success(), "{name}: {}{}", String::from_utf8_lossy(&checked.stdout), String::from_utf8_lossy(&checked.stderr));
    serde_json::from_slice(&std::fs::read(file).expect("evidence")).expect("JSON")
}

/// A plan with these steps, as text.
#[expect(clippy::needless_pass_by_value, reason = "takes what `json!` makes")]
fn plan(steps: Value) -> String {
    json!({"goal": "gates", "risky": true, "steps": steps}).to_string()
}

fn lint(command: &str) -> Value {
    json!({"name": "lint", "tool": "gate:lint", "inputs": {"command": command}})
}

#[test]
fn a_working_tree_is_judged_with_what_is_not_committed() {
    let unit = json!({"name": "unit", "tool": "gate:unit", "inputs": {"command": "test -f new.txt && echo '1 passed in 0.1s'", "format": "pytest"}});
    let repository = Repository::new(&[("gates.json", &plan(json!([lint("true"), unit]))), ("src/a.txt", "a\n")]);
    std::fs::write(repository.dir.join("new.txt"), "new\n").expect("written");
    let before = repository.git(&["status", "--porcelain"]);
    let (code, out, err) = judge(&repository.dir.join("src"), &[]);
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(
        out.lines().map(|line| line.split_whitespace().take(2).collect()).collect::<Vec<Vec<_>>>(),
        [["pass", "lint"], ["pass", "unit"]]
    );
    assert_eq!(repository.git(&["status", "--porcelain"]), before, "neither the index nor the evidence is seen");

    let unit = evidence(&repository.dir, "gate-unit.json");
    assert_eq!((&unit["verdict"], &unit["tests"]["passed"], &unit["run_id"]), (&json!("pass"), &json!(1), &Value::Null), "{unit}");
    repository.git(&["add", "-A"]);
    let tree = repository.git(&["write-tree"]);
    let workspace = json!({"name": "workspace", "digest": format!("gitTree:{}", tree.trim())});
    assert!(unit["inputs"].as_array().expect("inputs").contains(&workspace), "the tree with the new file: {unit}");
    let log = std::fs::read_to_string(repository.dir.join(".nofx/gates").join(unit["log"].as_str().expect("a log"))).expect("a log");
    assert_eq!(log, "1 passed in 0.1s\n");
}

#[test]
fn the_exit_code_is_the_verdict() {
    let steps = json!([
        {"name": "lint", "tool": "gate:lint", "inputs": {"command": "echo 'src/a.c:3:1: error: bad'; exit 1", "format": "lines"}},
        {"name": "types", "tool": "gate:typecheck", "inputs": {"command": "true"}},
        {"name": "unknown", "tool": "gate:unit", "inputs": {"command": "no-such-program"}},
        {"name": "slow", "tool": "gate:sast", "timeout_s": 1, "inputs": {"command": "sleep 600"}},
    ]);
    let repository = Repository::new(&[("gates.json", &plan(steps))]);
    let run = |names: &[&str]| judge(&repository.dir, names);
    assert_eq!(run(&["types"]).0, 0);
    assert_eq!(run(&["lint", "types"]).0, 1);
    assert_eq!(run(&["unknown", "types"]).0, 2, "inconclusive");
    let (code, out, _) = run(&["slow"]);
    assert!(code == 2 && out.contains("no verdict within 1 s"), "{out}");
    let (code, out, err) = run(&["--json"]);
    let rows: Vec<Value> = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, rows.len()), (1, 4), "a failure counts more than what is inconclusive: {out}{err}");
    let lint = evidence(&repository.dir, "gate-lint.json");
    assert_eq!(
        lint["findings"][0],
        json!({"file": "src/a.c", "line": 3, "column": 1, "rule": null, "severity": "error", "message": "bad"})
    );
    assert_eq!(evidence(&repository.dir, "gate-sast.json")["verdict"], "inconclusive");
    // Old evidence would be taken for new.
    assert_eq!(run(&["types"]).0, 0);
    assert!(!repository.dir.join(".nofx/gates/gate-lint.json").exists());
}

#[test]
fn without_a_plan_the_gates_that_fit_the_files_judge() {
    let repository = Repository::new(&[("README.md", "nothing to compile\n")]);
    let (code, out, err) = judge(&repository.dir, &[]);
    assert_eq!((code, out.lines().count()), (0, 1), "{out}{err}");
    assert!(out.starts_with("pass           gate:secrets"), "{out}");
    let token = ["ghp_", "16C7e42F292c6912E7710c838347Ae178B4a"].concat();
    std::fs::write(repository.dir.join("notes.txt"), format!("token = {token}\n")).expect("written");
    let (code, out, _) = judge(&repository.dir, &[]);
    assert_eq!(code, 1, "{out}");
    assert!(!out.contains(&token) && !evidence(&repository.dir, "gate-secrets.json").to_string().contains(&token));
    let (code, _, err) = judge(&repository.dir, &["lint"]);
    assert_eq!(code, 2, "named, but nothing to judge: {err}");
    assert_eq!(evidence(&repository.dir, "gate-lint.json")["verdict"], "inconclusive");
}

#[test]
fn a_base_makes_changed_lines_count() {
    let report = |hits: [u8; 2]| format!("SF:a.py\nDA:1,{}\nDA:2,{}\nend_of_record\n", hits[0], hits[1]);
    let repository = Repository::new(&[("a.py", "one\n")]);
    repository.branch("work");
    repository.commit(&[("a.py", "one\ntwo\n")]);
    std::fs::write(repository.dir.join("lcov.info"), report([0, 1])).expect("written");
    assert_eq!(judge(&repository.dir, &["coverage", "--base", "main"]).0, 0, "the changed line ran");
    std::fs::write(repository.dir.join("lcov.info"), report([1, 0])).expect("written");
    assert_eq!(judge(&repository.dir, &["coverage", "--base", "main"]).0, 1, "the changed line did not");
    let found = evidence(&repository.dir, "gate-coverage.json");
    assert_eq!(found["coverage"]["files"]["a.py"], json!({"covered": [], "uncovered": [[2, 2]]}), "{found}");
    std::fs::remove_file(repository.dir.join("lcov.info")).expect("removed");
    assert_eq!(judge(&repository.dir, &["--base", "main"]).0, 2, "nothing was measured");
    assert_eq!(judge(&repository.dir, &["coverage", "--base=--output=x"]).0, 2, "git takes it for no option");
    assert!(!repository.dir.join("x").exists());
}

#[test]
fn the_product_starts_only_when_that_is_asked_for() {
    let smoke = json!({"name": "smoke", "tool": "gate:e2e_smoke", "inputs": {"command": "echo $NOFX_STUBBED > started"}});
    let repository = Repository::new(&[("gates.json", &plan(json!([lint("true"), smoke])))]);
    let started = repository.dir.join("started");
    assert_eq!(judge(&repository.dir, &[]).0, 0);
    let (code, _, err) = judge(&repository.dir, &["smoke"]);
    assert!(code == 2 && err.contains("--risky") && !started.exists(), "{err}");
    let (code, out, err) = judge(&repository.dir, &["--risky", "lint"]);
    assert!(code == 0 && out.contains("smoke"), "{out}{err}");
    assert_eq!(std::fs::read_to_string(started).expect("it started"), "true\n");
    let plain = Repository::new(&[("a", "a")]);
    assert_eq!(judge(&plain.dir, &["--risky"]).0, 2, "no one said how it starts");
}

#[test]
fn what_is_wrong_is_refused_before_anything_runs() {
    let repository = Repository::new(&[("a", "a")]);
    let refused = |arguments: &[&str], why: &str| {
        let (code, out, err) = judge(&repository.dir, arguments);
        assert!(code == 2 && out.is_empty() && err.contains(why), "{arguments:?}: {code} {out}{err}");
    };
    refused(&["lnit"], "neither a gate");
    refused(&["--plan", "none.json"], "none.json");
    refused(&["--dir", "nowhere"], "nowhere");
    refused(&["--plan", "a\u{1b}[8mb.json"], "ab.json");
    let write = |text: &str| std::fs::write(repository.dir.join("gates.json"), text).expect("written");
    write("{");
    refused(&[], "gates.json");
    write(&plan(json!([{"name": "a", "tool": "gate:lint", "surprise": 1}])));
    refused(&[], "/steps/0/surprise");
    write(&plan(json!([lint("touch ${{ run.id }}")])));
    refused(&[], "expressions");
    write(&plan(json!([{"name": "a", "tool": "noop"}])));
    refused(&[], "no gate");
    write(&" ".repeat((1 << 20) + 1));
    refused(&[], "not a file of at most");
    std::fs::remove_file(repository.dir.join("gates.json")).expect("removed");
    nix::unistd::mkfifo(&repository.dir.join("gates.json"), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
    refused(&[], "not a file of at most");
    std::fs::remove_file(repository.dir.join("gates.json")).expect("removed");
    refused(&["secrets", "--out", "a"], "could not use the folder a");
}

#[test]
fn evidence_is_not_written_through_a_link_of_the_tree() {
    let elsewhere = tempfile::tempdir().expect("a folder");
    let victim = elsewhere.path().join("victim");
    std::fs::write(&victim, "mine").expect("written");
    let repository = Repository::new(&[("gates.json", &plan(json!([lint("ln -s $VICTIM .nofx/gates/gate-lint.log; echo out")])))]);
    std::fs::create_dir_all(repository.dir.join(".nofx/gates")).expect("a folder");
    symlink(&victim, repository.dir.join(".nofx/gates/gate-lint.json")).expect("a link");
    let status = command(&repository.dir, &[]).env("VICTIM", &victim).status().expect("nofx starts");
    assert_eq!(status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(&victim).expect("text"), "mine");
    assert_eq!(evidence(&repository.dir, "gate-lint.json")["verdict"], "pass");

    // Nor into another folder.
    for link in [".nofx", ".nofx/gates"] {
        let repository = Repository::new(&[("gates.json", &plan(json!([lint("true")])))]);
        std::fs::create_dir_all(repository.dir.join(link).parent().expect("a folder")).expect("a folder");
        symlink(elsewhere.path(), repository.dir.join(link)).expect("a link");
        let (code, _, err) = judge(&repository.dir, &[]);
        assert!(code == 2 && err.contains("is a link"), "{link}: {err}");
    }
    assert_eq!(std::fs::read_dir(elsewhere.path()).expect("a folder").count(), 1, "nothing was written there");
}

#[test]
fn an_interrupt_ends_the_tools_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let repository =
        Repository::new(&[("gates.json", &plan(json!([lint("echo $$ > $PID_FILE.new; mv $PID_FILE.new $PID_FILE; sleep 600; true")])))]);
    let file = folder.path().join("pid");
    let mut child = command(&repository.dir, &[]).env("PID_FILE", &file).stdout(Stdio::piped()).spawn().expect("nofx starts");
    let pid: i64 = loop {
        if let Ok(text) = std::fs::read_to_string(&file) {
            break text.trim().parse().expect("a process id");
        }
        assert!(child.try_wait().expect("a state").is_none(), "it ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    kill(Pid::from_raw(i32::try_from(child.id()).expect("an id")), Signal::SIGINT).expect("it runs");
    let done = child.wait_with_output().expect("it ends");
    assert_eq!((done.status.code(), done.stdout.is_empty()), (Some(3), true));
    // Its shell was killed with its group, or this never ends.
    while Own::lives(pid) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(!repository.dir.join(".nofx/gates/gate-lint.json").exists(), "no verdict");
}

#[test]
fn a_job_reads_which_defaults_were_used() {
    let repository = Repository::new(&[("gates.json", &plan(json!([lint("true")])))]);
    let printed = |value: &str| command(&repository.dir, &[]).env("NON_INTERACTIVE_MODE", value).output().expect("nofx starts").stderr;
    let text = String::from_utf8(printed("true")).expect("text");
    assert!(text.contains("not given, so this is used: ") && text.contains("gates.json"), "{text}");
    assert_eq!(String::from_utf8(printed("false")).expect("text"), "");
}
