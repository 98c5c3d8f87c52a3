//! One concept, one word: what the glossary lists as *not* used is in no name, and in no text of a page. Prose of the docs and names of tests
//! are sentences and are not read.

use std::collections::BTreeMap;
use std::path::Path;

use nofx_shared::events::EventType;
use nofx_shared::problem::Kind;

use crate::allowed;
use crate::declared_names::{rust_names, sql_names};
use crate::glossary::{Forbidden, Glossary};
use crate::layout::{files, root};
use crate::rust_source::program;

/// Whether a literal of a page is for its readers: paths, classes and names of fields are not.
fn is_prose(literal: &str) -> bool {
    let begins = literal.chars().next().is_some_and(char::is_uppercase);
    (begins || literal.contains(' ')) && !literal.starts_with(['/', '.', '&', '?'])
}

/// The part of the repository that a list of exceptions names: a file may move within it.
fn room(file: &Path) -> &str {
    let path = file.strip_prefix(root()).ok().and_then(Path::to_str).expect("a path below the root");
    if path.starts_with("supabase/local") { "supabase/local" } else { path.split('/').next().expect("a folder") }
}

#[test]
fn no_name_and_no_page_has_a_word_that_the_glossary_replaced() {
    let text = std::fs::read_to_string(root().join("docs/glossary.md")).expect("the glossary");
    let glossary = Glossary::read(&text);
    assert!(glossary.forbidden.len() > 30, "the column `not` of docs/glossary.md was not found");
    let mut found = BTreeMap::new();
    let mut add = |room: &str, place: String, name: &str, forbidden: Option<&Forbidden>| {
        if let Some(Forbidden { written, instead, .. }) = forbidden {
            found.insert(format!("{room}: {name}"), format!("{place} says `{written}`, the word of docs/glossary.md is `{instead}`"));
        }
    };
    for file in files(&["api", "cli", "shared", "supabase/local", "tests", "worker"], &["rs"]) {
        let text = std::fs::read_to_string(&file).expect("text");
        let (tokens, room, place) = (program(&text), room(&file), || file.display().to_string());
        for name in rust_names(&tokens) {
            add(room, place(), name, glossary.find_in_name(name));
        }
        let texts = || tokens.iter().filter_map(|token| token.text());
        if file.starts_with(root().join("api/_lib/ui")) {
            for text in texts().filter(|text| is_prose(text)) {
                add(room, place(), text, glossary.find_in_text(text));
            }
        } else if file.starts_with(root().join("worker/src")) && place().contains("metrics") {
            for name in texts().filter(|text| !text.contains(' ')) {
                add("metrics", place(), name, glossary.find_in_name(name));
            }
        }
    }
    for file in files(&["supabase/migrations"], &["sql"]) {
        let text = std::fs::read_to_string(&file).expect("text");
        for name in sql_names(&text) {
            add(room(&file), file.display().to_string(), name, glossary.find_in_name(name));
        }
    }
    for kind in Kind::ALL {
        add("problems", "shared/src/problem.rs".to_owned(), kind.slug(), glossary.find_in_name(kind.slug()));
    }
    for event in EventType::ALL {
        add("events", "shared/src/events/catalogue.rs".to_owned(), event, glossary.find_in_name(event));
    }
    allowed::exactly("words", 10, &found);
}

#[cfg(test)]
mod tests {
    use super::is_prose;

    #[test]
    fn texts_for_readers_are_told_from_paths_and_classes() {
        assert!(is_prose("No runs yet") && is_prose("Runs") && is_prose("to {name}"));
        assert!(!is_prose("/ui/runs") && !is_prose("table") && !is_prose("&after="));
    }
}
