//! What a step could have written is read by `nofx_sandbox::Files` alone, and git runs where the step does.

use crate::layout::{files, root};
use crate::rust_source::{Token, program};

/// Rooms of the worker that read or write what steps made.
const ROOMS: [&str; 6] =
    ["worker/src/drivers/machine", "worker/src/gates", "worker/src/handlers", "worker/src/sbom", "worker/src/step", "worker/src/workspace"];

/// Ways to a file that follow links. What is beneath a folder is an own type of a file (`std::fs::File`, `tokio::fs::File::from_std`).
const FOLLOWING: [&str; 24] = [
    "std::fs",
    "tokio::fs",
    "nix::fcntl",
    "nix::sys::stat",
    "nix::unistd",
    "rustix::fs",
    "libc::",
    "OpenOptions",
    "DirBuilder",
    "File::open(",
    "File::create(",
    "File::create_new(",
    "File::options(",
    ".exists()",
    ".try_exists()",
    ".canonicalize()",
    ".is_file()",
    ".is_dir()",
    ".is_symlink()",
    ".read_dir()",
    ".read_link()",
    ".symlink_metadata()",
    "WalkBuilder",
    "walkdir::",
];

/// The code of a file as one line, without comments, texts, spaces and its tests.
fn code(text: &str) -> String {
    let mut code = String::new();
    for token in program(text) {
        match token {
            Token::Word(word) if code.ends_with(|c: char| c == '_' || c.is_alphanumeric()) => code.extend([" ", word]),
            Token::Word(text) | Token::Sign(text) => code.push_str(text),
            Token::Text(_) => code.push_str("\"\""),
        }
    }
    code
}

fn ways(text: &str) -> Vec<&'static str> {
    // The type of an open file.
    let code = code(text).replace("use std::fs::File;", "").replace("tokio::fs::File::from_std(", "").replace(":tokio::fs::File,", ",");
    FOLLOWING.into_iter().filter(|way| code.contains(way)).collect()
}

/// Whether git is started: by the first argument of a list, as a program, by a name of its own, or in a script.
fn starts_git(text: &str) -> bool {
    let tokens = program(text);
    let is_first = |at: usize| {
        at > 0 && (tokens[at - 1].is("[") || tokens[at - 1].is("=")) || at > 1 && tokens[at - 1].is("(") && tokens[at - 2].is("new")
    };
    tokens.iter().enumerate().any(|(at, token)| match token.text() {
        Some(program) if program == "git" || program.ends_with("/git") => is_first(at),
        Some(script) => script.split(['\n', ';', '&', '|', '(']).any(|command| command.trim_start().starts_with("git ")),
        None => false,
    })
}

fn read(file: &std::path::Path) -> String {
    std::fs::read_to_string(file).expect("text")
}

#[test]
fn files_of_steps_are_opened_beneath_their_folder() {
    let is_test = |file: &std::path::Path| file.ends_with("tests.rs") || file.components().any(|part| part.as_os_str() == "tests");
    let mut found = vec![];
    for file in files(&ROOMS, &["rs"]).into_iter().filter(|file| !is_test(file)) {
        found.extend(ways(&read(&file)).into_iter().map(|way| format!("{}: {way}", file.display())));
    }
    assert!(found.is_empty(), "use `Folder` or `Files`:\n  {}", found.join("\n  "));
}

#[test]
fn git_is_started_in_one_place() {
    let own = root().join("worker/src/workspace/git.rs");
    let all = files(&["worker/src"], &["rs"]);
    let found: Vec<_> = all.iter().filter(|file| **file != own && starts_git(&read(file))).collect();
    assert!(found.is_empty(), "use `workspace::Git`: {found:?}");
    assert!(starts_git(&read(&own)), "git is started elsewhere now");
}

#[cfg(test)]
mod tests {
    use super::{starts_git, ways};

    #[test]
    fn code_behind_an_item_of_tests_is_read_and_tests_are_not() {
        let text = "#[cfg(test)] pub(crate) fn f() { std::fs::read(a) } fn g() { tokio::fs::metadata(a) } \
                    #[cfg(test)] mod tests { fn h() { std::fs::read(a); a.exists() } }";
        assert_eq!(ways(text), ["tokio::fs"]);
    }

    #[test]
    fn every_way_that_follows_links_is_found_and_open_files_are_none() {
        for text in [
            "use std::fs;",
            "use std::fs::{File, read};",
            "rustix::fs::openat(a)",
            "a . exists ( )",
            "fs::OpenOptions::new()",
            "File::open(a)",
            "folder.path().join(a).read_dir()",
            "ignore::WalkBuilder::new(a)",
        ] {
            assert!(!ways(text).is_empty(), "{text}");
        }
        assert!(
            ways("use std::fs::File; let a = tokio::fs::File::from_std(b); fn g(to: tokio::fs::File, n: u8) {} f(\"std::fs\"); // std::fs")
                .is_empty()
        );
    }

    #[test]
    fn git_is_found_however_it_is_started() {
        for text in [
            "[\"git\", \"push\"]",
            "vec![\"git\".to_owned()]",
            "Command::new(\"git\")",
            "[\"/usr/bin/git\"]",
            "const GIT: &str = \"git\";",
            "f(\"cd a && git push\")",
            "f(\"git push\")",
        ] {
            assert!(starts_git(text), "{text}");
        }
        assert!(!starts_git("text(table, \"git\"); Some(\"git\"); starts_with(\"git\"); f(\"a git tree\"); // [\"git\"]"));
    }
}
