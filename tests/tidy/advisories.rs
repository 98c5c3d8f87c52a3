//! `scripts/advisories.sh`, with a cargo-deny that only says how it was called: the real one and its database may be missing here.
#![expect(clippy::disallowed_methods, reason = "runs the script")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::layout::root;

/// Runs the script where these programs and this folder of cargo are; its exit code and what it printed.
fn check(programs: &Path, cargo_home: &Path) -> (Option<i32>, String) {
    let mut command = Command::new(root().join("scripts/advisories.sh"));
    let path = format!("{}:/usr/bin:/bin", programs.display());
    let output = command.env_clear().env("PATH", path).env("HOME", cargo_home).env("CARGO_HOME", cargo_home).output().expect("bash");
    (output.status.code(), String::from_utf8(output.stdout).expect("text"))
}

fn cargo_deny(programs: &Path, code: i32) {
    let program = programs.join("cargo-deny");
    std::fs::write(&program, format!("#!/bin/sh\necho \"called with $*\"\nexit {code}\n")).expect("written");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("executable");
}

#[test]
fn what_was_not_checked_is_reported_and_what_was_found_fails() {
    let (programs, home) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let run = || check(programs.path(), home.path());

    let (code, text) = run();
    assert_eq!((code, text.lines().count()), (Some(0), 1), "{text}");
    assert!(text.starts_with("Advisories were not checked: cargo-deny is not installed"), "{text}");
    cargo_deny(programs.path(), 0);
    let (code, text) = run();
    assert_eq!((code, text.lines().count()), (Some(0), 1), "{text}");
    assert!(text.starts_with("Advisories were not checked: this machine has no advisory database"), "{text}");

    let git = home.path().join("advisory-dbs/advisory-db-1/.git");
    std::fs::create_dir_all(&git).expect("a folder");
    let head = std::fs::File::create(git.join("HEAD")).expect("written");
    assert_eq!(run(), (Some(0), "called with --offline check advisories\n".to_owned()));
    cargo_deny(programs.path(), 1);
    assert_eq!(run().0, Some(1), "an advisory that is not answered");

    head.set_modified(SystemTime::now() - Duration::from_hours(24 * 92)).expect("old");
    let (code, text) = run();
    assert_eq!((code, text.lines().count()), (Some(0), 1), "{text}");
    assert!(text.starts_with("Advisories were not checked: this machine's advisory database is older than 90 days"), "{text}");
}
