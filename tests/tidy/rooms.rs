//! Rooms: a top-level module of a crate. They stand above one another, never in a circle.

use std::collections::BTreeMap;
use std::path::Path;

use crate::allowed;
use crate::imports::{Source, circles, explain, imports};
use crate::layout::{files, root};
use crate::unseen_imports::unseen;

/// The folders of all crates of the workspace, with their sources. The tests of a folder of their own are a crate, too.
fn crates() -> BTreeMap<String, Vec<Source>> {
    let workspace = read(&root().join("Cargo.toml"));
    let members = workspace.split("members = [").nth(1).and_then(|rest| rest.split(']').next()).expect("members");
    let mut found = BTreeMap::new();
    for member in members.split('"').skip(1).step_by(2) {
        let manifest = read(&root().join(member).join("Cargo.toml"));
        let named = manifest.lines().filter_map(|line| line.strip_prefix("path = \"")?.strip_suffix(".rs\"")).map(str::to_owned);
        for file in named.chain(["src/lib".to_owned(), "src/main".to_owned()]) {
            let file = root().join(member).join(file).with_extension("rs");
            if file.is_file() {
                let folder = file.parent().expect("a folder").strip_prefix(root()).expect("below it").to_string_lossy().into_owned();
                found.entry(folder.clone()).or_insert_with(|| sources(&folder));
            }
        }
    }
    assert!(found.len() > 8, "the crates were not found");
    found
}

/// All files of a folder but those of crates below it.
fn sources(folder: &str) -> Vec<Source> {
    let folder = root().join(folder);
    let is_other = |file: &Path| file.ancestors().skip(1).take_while(|dir| *dir != folder).any(|dir| dir.join("Cargo.toml").is_file());
    let all = files(&[folder.to_str().expect("text")], &["rs"]).into_iter().filter(|file| !is_other(file));
    all.map(|file| (file.strip_prefix(&folder).expect("below it").to_string_lossy().into_owned(), read(&file))).collect()
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[test]
fn no_two_rooms_of_a_crate_import_each_other() {
    let mut found = BTreeMap::new();
    for (folder, sources) in crates() {
        let imports = imports(&sources);
        for circle in circles(&imports) {
            let mend = format!("move what both need into a room of its own, below both ({})", explain(&imports, &circle));
            found.insert(format!("{folder}: {}", circle.join(", ")), mend);
        }
    }
    allowed::exactly("circles", 0, &found);
}

#[test]
fn every_import_of_another_room_is_seen() {
    let found: Vec<String> =
        crates().iter().flat_map(|(folder, sources)| unseen(sources).into_iter().map(move |one| format!("{folder}/{one}"))).collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}
