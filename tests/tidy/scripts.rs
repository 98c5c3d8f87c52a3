//! The scripts of `scripts/`, as far as they can be run without what they install and build.
#![expect(clippy::disallowed_methods, reason = "runs the scripts")]

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use crate::layout::{files, root};

/// Runs a script from another folder, with a cargo that prints its arguments, and an npm that installs nothing: both fail.
fn run(script: &str, arguments: &[&str]) -> Output {
    let programs = tempfile::tempdir().expect("a folder");
    for name in ["cargo", "npm"] {
        let program = programs.path().join(name);
        std::fs::write(&program, format!("#!/bin/sh\necho \"{name} $*\"\nexit 1\n")).expect("written");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("executable");
    }
    let mut command = Command::new(root().join("scripts").join(script));
    let path = format!("{}:/usr/bin:/bin", programs.path().display());
    let command = command.args(arguments).env_clear().env("PATH", path).env("CARGO_TARGET_DIR", programs.path());
    command.current_dir(programs.path()).output().expect("bash")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// The comment at the head of a script, without its marks.
fn head(script: &str) -> String {
    let lines = script.lines().skip(1).map_while(|line| line.strip_prefix('#'));
    lines.map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect()
}

#[test]
fn a_test_of_the_prototype_runs_what_its_row_says() {
    // The lane's cargo has the words.
    let words = |arguments: &[&str]| {
        let printed = run("test.sh", &[&["unit"], arguments].concat());
        let printed = text(&printed.stdout).trim_end();
        printed.strip_prefix("cargo test --workspace --lib --bins --quiet --").expect("it calls cargo").trim().to_owned()
    };
    assert_eq!(words(&["--runInBand"]), "");
    assert_eq!(words(&["--runInBand", "tests/unit/dlq.cloud.test.ts"]), "containment::dead_letters");
    assert_eq!(words(&["a", "eventBus.cloud.test.ts", "tests/unit/events.cloud.test.ts", "b"]), "a core::events hooks core::events b");
    for (file, why) in [
        ("tests/integration/packSync.cloud.test.ts", "not yet: packs"),
        ("tests/unit/nothing.cloud.test.ts", "no test of the prototype"),
        ("tests/unit/.*.test.ts", "no test of the prototype"),
    ] {
        let refused = run("test.sh", &["--runInBand", file]);
        let error = format!("{file}: {why} (docs/from-the-prototype.md)\n");
        assert_eq!((refused.status.code(), text(&refused.stdout), text(&refused.stderr)), (Some(2), "", &*error));
    }
}

#[test]
fn a_script_that_takes_arguments_prints_its_usage_and_does_nothing_else() {
    let mut tried = 0;
    for file in files(&["scripts"], &["sh"]) {
        let script = std::fs::read_to_string(&file).expect("text");
        if !["\"$@\"", "\"${1", "\"${@"].iter().any(|arguments| script.contains(arguments)) {
            continue;
        }
        tried += 1;
        let name = file.file_name().and_then(|name| name.to_str()).expect("text");
        for option in ["-h", "--help"] {
            let printed = run(name, &[option]);
            assert_eq!((printed.status.code(), text(&printed.stdout)), (Some(0), &*head(&script)), "{name} {option}");
        }
    }
    assert!(tried > 5, "the scripts were not found");
}
