//! What a step could have written is read by `nofx_sandbox::Files` alone, and git runs where the step does.

use crate::layout::{files, root};

/// Rooms of the worker that read or write what steps made.
const ROOMS: [&str; 5] = ["worker/src/gates", "worker/src/handlers", "worker/src/sbom", "worker/src/step", "worker/src/workspace"];

/// The code of a file without its tests.
fn code(file: &std::path::Path) -> String {
    let text = std::fs::read_to_string(file).expect("text");
    text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

#[test]
fn files_of_steps_are_opened_beneath_their_folder() {
    let other = [
        "std::fs::",
        "tokio::fs::read",
        "tokio::fs::write",
        "tokio::fs::File::open",
        "tokio::fs::File::create",
        "File::open(",
        "File::create(",
        ".exists()",
        ".canonicalize()",
        ".is_file()",
        ".is_dir()",
    ];
    let mut found = vec![];
    for file in files(&ROOMS, &["rs"])
        .into_iter()
        .filter(|file| !file.ends_with("tests.rs") && !file.components().any(|part| part.as_os_str() == "tests"))
    {
        let text = code(&file);
        // The type of an open file.
        let text = text.replace("use std::fs::File;", "");
        found.extend(other.iter().filter(|way| text.contains(*way)).map(|way| format!("{}: {way}", file.display())));
    }
    assert!(found.is_empty(), "use `Folder` or `Files`:\n  {}", found.join("\n  "));
}

#[test]
fn git_is_started_in_one_place() {
    let own = root().join("worker/src/workspace/git.rs");
    let found: Vec<String> = files(&["worker/src"], &["rs"])
        .into_iter()
        .filter(|file| *file != own && ["\"git\",", "Command::new(\"git\")"].iter().any(|way| code(file).contains(way)))
        .map(|file| file.display().to_string())
        .collect();
    assert!(found.is_empty(), "use `workspace::Git`:\n  {}", found.join("\n  "));
}
