//! Rooms: a top-level module of a crate. They stand above one another, never in a circle; and a `mod.rs` only says what is in its room.

use std::collections::BTreeMap;
use std::path::Path;

use crate::allowed;
use crate::imports::{Source, circles, explain, imports};
use crate::layout::{files, root};
use crate::rust_source::program;

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
    allowed::exactly("circles", &found);
}

/// What a `mod.rs` does beside naming what is in its room.
fn logic(text: &str) -> Option<String> {
    let lines = text.lines().count();
    if lines > 60 {
        return Some(format!("has {lines} lines"));
    }
    let tokens = program(text);
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        depth += i32::from(token.is("{") || token.is("("));
        depth -= i32::from(token.is("}") || token.is(")"));
        let begins = at == 0 || ["}", ";", "]", "pub", ")", "unsafe"].iter().any(|end| tokens[at - 1].is(end));
        if let Some(kind) = token.word().filter(|word| ["struct", "enum", "trait", "impl", "union"].contains(word))
            && depth == 0
            && begins
        {
            return Some(format!("has a type or an impl (`{kind}`)"));
        }
    }
    None
}

#[test]
fn a_mod_rs_only_says_what_is_in_its_room() {
    let mut found = BTreeMap::new();
    let all = files(&["api", "cli", "shared", "supabase/local", "tests", "worker"], &["rs"]);
    for file in all.iter().filter(|file| file.ends_with("mod.rs")) {
        if let Some(logic) = logic(&read(file)) {
            let path = file.strip_prefix(root()).expect("below it").to_string_lossy().into_owned();
            found.insert(path, format!("it {logic}; give each its file, named by its noun or verb, and keep mod.rs below 61 lines"));
        }
    }
    allowed::exactly("mod_files", &found);
}

#[cfg(test)]
mod tests {
    use super::logic;

    #[test]
    fn a_type_or_much_text_is_logic_and_a_list_is_none() {
        assert_eq!(logic("//! Doc.\nmod a;\npub use a::A;\npub fn all() -> impl Iterator<Item = A> { struct_of(|x: A| x) }"), None);
        assert_eq!(logic("mod a;\npub(crate) enum B {}"), Some("has a type or an impl (`enum`)".to_owned()));
        assert_eq!(logic("#[derive(Debug)]\nstruct B;"), Some("has a type or an impl (`struct`)".to_owned()));
        assert_eq!(logic("#[cfg(test)]\nmod tests { struct A; }"), None);
        assert_eq!(logic(&"mod a;\n".repeat(61)), Some("has 61 lines".to_owned()));
    }
}
