//! The tools that gates start, against those of the images: a gate whose tool no image has would be inconclusive for ever.

use std::collections::BTreeSet;

use super::{audit, coverage, lint, sast, typecheck, unit};

/// Of languages that no image is made for: whoever judges such repositories builds an image upon `worker`.
const OF_NO_IMAGE: [&str; 4] = ["go", "golangci-lint", "gosec", "govulncheck"];
/// Of the repository itself, in its `node_modules`.
const OF_THE_REPOSITORY: &str = "npx --no-install ";

/// The programs of all commands that gates know: `cargo clippy` is one beside `cargo`.
fn programs() -> BTreeSet<String> {
    let known = [coverage::COMMANDS, lint::COMMANDS, sast::COMMANDS, typecheck::COMMANDS, unit::COMMANDS].concat();
    let commands = known.iter().map(|known| known.command).chain(audit::commands());
    commands.map(program).collect()
}

fn program(command: &str) -> String {
    if command.starts_with(OF_THE_REPOSITORY) {
        return "npx".to_owned();
    }
    let words: Vec<&str> = command.split_whitespace().skip_while(|word| word.contains('=')).collect();
    // What cargo runs for it is a program of its own.
    let words = if matches!(words[..], ["cargo", "clippy" | "llvm-cov", ..]) { &words[..2] } else { &words[..1] };
    words.join(" ")
}

/// The programs that an image's script asks for their versions: it fails without one.
fn proven(script: &str) -> BTreeSet<&str> {
    assert!(script.starts_with("#!/bin/sh\n") && script.contains("\nset -eu\n"), "a script goes on without a tool: {script}");
    script.lines().filter_map(|line| line.strip_suffix(" --version")).collect()
}

#[test]
fn each_tool_of_a_gate_is_in_an_image_or_in_the_list_of_those_that_are_in_none() {
    let scripts = [include_str!("../../images/node.sh"), include_str!("../../images/python.sh"), include_str!("../../images/rust.sh")];
    let proven: BTreeSet<&str> = scripts.into_iter().flat_map(proven).collect();
    let missing: Vec<String> =
        programs().into_iter().filter(|program| !proven.contains(&**program) && !OF_NO_IMAGE.contains(&&**program)).collect();
    assert_eq!(missing, Vec::<String>::new(), "add them to worker/images, with their versions asked for at the end");
    for unknown in OF_NO_IMAGE {
        assert!(programs().contains(unknown) && !proven.contains(unknown), "{unknown} is needed no more, or is in an image");
    }
}

#[test]
fn each_image_has_what_its_script_installs() {
    let file = include_str!("../../Dockerfile");
    let stage = |name: &str| {
        let after = file.split(&format!(" AS {name}\n")).nth(1).unwrap_or_else(|| panic!("no stage {name}"));
        after.split("\nFROM ").next().unwrap_or_default().to_owned()
    };
    for (name, scripts) in [
        ("worker", &["worker"][..]),
        ("worker-rust", &["rust"]),
        ("worker-node", &["node"]),
        ("worker-python", &["python"]),
        ("worker-full", &["rust", "node", "python"]),
    ] {
        let lines = stage(name);
        for script in ["worker", "rust", "node", "python"] {
            assert_eq!(lines.contains(&format!("/images/{script}.sh")), scripts.contains(&script), "{name}: {script}.sh");
        }
        assert_eq!(lines.contains("COPY --from=rust /usr/local/rust /usr/local/rust\n"), scripts.contains(&"rust"), "{name}");
    }
    let base = proven(include_str!("../../images/worker.sh"));
    assert!(["bash", "bwrap", "git"].iter().all(|tool| base.contains(tool)), "{base:?}");
    assert!(
        file.trim_end().rsplit("\nFROM ").next().is_some_and(|last| last.starts_with("worker AS worker-full\n")),
        "the default has all"
    );
}

#[test]
fn what_is_installed_from_registries_is_pinned() {
    let scripts = [include_str!("../../images/node.sh"), include_str!("../../images/python.sh"), include_str!("../../Dockerfile")];
    for line in scripts.iter().flat_map(|script| script.lines()) {
        let packages = ["npm install ", "bin/pip install ", "cargo install "].iter().find_map(|install| line.split(install).nth(1));
        for package in packages.into_iter().flat_map(str::split_whitespace).filter(|word| !word.starts_with('-') && *word != "\\") {
            assert!(package.contains('@') || package.contains("==") || package.starts_with('/'), "{package} has no version: {line}");
        }
    }
}
