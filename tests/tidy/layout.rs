//! Files: their size, and the manifests.

use std::path::{Path, PathBuf};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace").to_owned()
}

/// Every file below the given folders with one of the endings.
pub(crate) fn files(folders: &[&str], endings: &[&str]) -> Vec<PathBuf> {
    let mut found = vec![];
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display())) {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| endings.iter().any(|one| ending == *one)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let folders = ["api", "cli", "config", "docs", "public", "sandbox", "scripts", "shared", "supabase", "tests", "worker"];
    let endings = ["css", "js", "md", "mjs", "py", "rs", "sh", "sql", "toml", "yaml"];
    let mut read = files(&folders, &endings);
    read.retain(|file| !file.starts_with(root().join("public/vendor")));
    for ending in endings {
        assert!(read.iter().any(|file| file.extension().is_some_and(|one| one == ending)), "no file ends in .{ending}");
    }
    read.retain(|file| std::fs::read_to_string(file).expect("text").lines().count() > 400);
    assert!(read.is_empty(), "split these by verb, two rooms are in one: {read:?}");
}

#[test]
fn every_member_inherits_versions_and_lints() {
    for manifest in files(&["api", "cli", "sandbox", "shared", "supabase/local", "tests", "worker"], &["toml"]) {
        if manifest.file_name().is_some_and(|name| name != "Cargo.toml") {
            continue;
        }
        let text = std::fs::read_to_string(&manifest).expect("text");
        assert!(text.contains("[lints]\nworkspace = true"), "{}: add [lints] workspace = true", manifest.display());
        let dependencies = text.split("[dependencies]").nth(1).unwrap_or_default();
        for line in dependencies.lines().filter(|line| line.contains('=')) {
            assert!(line.contains("workspace = true"), "{}: move the version of `{line}` to the workspace", manifest.display());
        }
    }
}

#[test]
fn what_is_built_without_its_tests_has_none() {
    for manifest in files(&["api", "cli", "sandbox", "shared", "supabase/local", "tests", "worker"], &["toml"]) {
        let text = std::fs::read_to_string(&manifest).expect("text");
        for target in text.split("\n[").filter(|section| section.contains("\ntest = false")) {
            let path = target.split("path = \"").nth(1).and_then(|rest| rest.split('"').next()).expect("a path");
            let file = manifest.with_file_name(path);
            let folder = if path == "src/lib.rs" { file.parent().expect("a folder").to_owned() } else { file };
            let sources = if folder.is_dir() { files(&[folder.to_str().expect("text")], &["rs"]) } else { vec![folder] };
            for source in sources {
                let text = std::fs::read_to_string(&source).expect("text");
                assert!(!text.contains("#[test]") && !text.contains("::test]"), "{}: no test here is ever run", source.display());
            }
        }
    }
}
