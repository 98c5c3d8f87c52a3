//! What tools get of the shell, and what they cannot reach of it.

use std::path::Path;
use std::process::{Output, Stdio};

use nofx_tests::repository::Repository;
use serde_json::json;

use super::{command, evidence, lint, plan};

#[test]
fn tools_see_only_the_secrets_that_their_step_names_and_the_call_allows() {
    let mut step = lint("env; echo \"given $DEPLOY_TOKEN\"");
    step["secrets"] = json!(["DEPLOY_TOKEN"]);
    let repository =
        Repository::new(&[("gates.json", &plan(json!([step, {"name": "unit", "tool": "gate:typecheck", "inputs": {"command": "env"}}])))]);
    let shell = [("OTHER_TOKEN", "sesame-sesame"), ("GIT_DIR", "/elsewhere"), ("NOFX_SECRET_DEPLOY_TOKEN", "hunter2-hunter2")];
    let with = |arguments: &[&str], more: &[(&str, &str)]| {
        let Output { status, stdout, .. } = command(&repository.dir, arguments).envs(more.iter().copied()).output().expect("nofx starts");
        (status.code(), String::from_utf8(stdout).expect("text"))
    };
    let log = |name: &str| std::fs::read_to_string(repository.dir.join(".nofx/gates").join(name));
    // The plan is a file of the tree: what it names is not given unasked, nor instead of another one.
    for arguments in [&[][..], &["--secrets", "OTHER"], &["--secrets", "OTHER,DEPLOY"], &["--secrets", ""]] {
        let (code, out) = with(arguments, &shell);
        assert!(code == Some(2) && out.contains("--secrets DEPLOY_TOKEN") && !out.contains("hunter2"), "{arguments:?}: {out}");
        assert!(log("gate-lint.log").is_err(), "its command did not run");
        assert!(!log("gate-typecheck.log").expect("a log").contains("hunter2"));
    }

    for arguments in [["--secrets", "DEPLOY_TOKEN"], ["--secrets", "OTHER,DEPLOY_TOKEN"]] {
        assert_eq!(with(&arguments, &shell).0, Some(0));
    }
    let log_of_lint = log("gate-lint.log").expect("a log");
    assert!(log_of_lint.contains("given ***") && log_of_lint.contains("NON_INTERACTIVE_MODE=true"), "{log_of_lint}");
    for text in [log_of_lint, log("gate-typecheck.log").expect("a log")] {
        assert!(!text.contains("sesame") && !text.contains("hunter2") && !text.contains("GIT_DIR"), "{text}");
    }
    assert!(!evidence(&repository.dir, "gate-lint.json").to_string().contains("hunter2"));
    assert_eq!(with(&["--secrets", "DEPLOY_TOKEN"], &[]).0, Some(2), "without its secret the gate does not judge");
}

#[test]
fn no_process_of_the_command_shows_the_secrets_that_its_tools_do_not_get() {
    let secret = format!("sesame-{}", std::process::id());
    // A process that ends meanwhile cannot be read.
    let search = "cat /proc/$PPID/environ /proc/self/environ | tr '\\0' '\\n'; cat /proc/[0-9]*/environ > all 2> /dev/null || true";
    let repository = Repository::new(&[("gates.json", &plan(json!([lint(search)])))]);
    let mut command = command(&repository.dir, &[]);
    let shell =
        [("OTHER_TOKEN", secret.as_str()), ("NOFX_SECRET_DEPLOY_TOKEN", &secret), ("OPENAI_API_KEY", &secret), ("PLAIN", "plain-plain")];
    let status = command.envs(shell).stdin(Stdio::piped()).status().expect("nofx starts");
    assert_eq!(status.code(), Some(0));
    let log = std::fs::read_to_string(repository.dir.join(".nofx/gates/gate-lint.log")).expect("a log");
    let all = std::fs::read(repository.dir.join("all")).expect("what they show");
    assert!(log.contains("PLAIN=plain-plain"), "what is no secret is given: {log}");
    assert!(!log.contains(&secret) && !String::from_utf8_lossy(&all).contains(&secret), "{log}");
}

#[test]
fn crates_are_compared_with_the_advisories_of_the_machine_where_there_is_no_network() {
    let repository = Repository::new(&[("Cargo.lock", "version = 4\n")]);
    let (programs, database) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let database = database.path().join("advisory db");
    std::fs::create_dir(&database).expect("a folder");
    // It has advisories only with a folder of them and without fetching.
    let program = r#"#!/bin/sh
[ "$1" = --version ] && echo cargo-audit 0.22.0 && exit 0
if [ "$5" = --db ] && [ -d "$6" ] && [ "$7" = --no-fetch ]; then echo '{"database": {"advisory-count": 9}, "vulnerabilities": {"list": []}}'; exit 0; fi
echo "error: couldn't fetch advisory database: Could not resolve host" >&2; exit 1
"#;
    let file = programs.path().join("cargo-audit");
    std::fs::write(&file, program).expect("written");
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("executable");
    let audit = |named: Option<&Path>| {
        let mut command = command(&repository.dir, &["audit"]);
        command.env_remove("NOFX_ADVISORY_DB").env("PATH", format!("{}:/usr/bin:/bin", programs.path().display()));
        let Output { status, stdout, stderr } = command.envs(named.map(|path| ("NOFX_ADVISORY_DB", path))).output().expect("nofx starts");
        (status.code(), [stdout, stderr].concat().iter().copied().map(char::from).collect::<String>())
    };
    let (code, out) = audit(Some(&database));
    assert_eq!(code, Some(0), "{out}");
    assert!(evidence(&repository.dir, "gate-audit.json")["command"].as_str().is_some_and(|command| command.ends_with("--no-fetch")));
    let (code, out) = audit(None);
    assert!(
        code == Some(2) && out.contains("needs the network") && out.contains("NOFX_ADVISORY_DB") && out.contains("resolve host"),
        "{out}"
    );
    for wrong in [database.join("none"), "relative".into()] {
        let (code, out) = audit(Some(&wrong));
        assert!(code == Some(2) && out.contains("NOFX_ADVISORY_DB: `") && out.contains("is not the absolute path of a folder"), "{out}");
    }
}
