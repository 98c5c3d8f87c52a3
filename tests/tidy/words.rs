//! One concept, one word: what the glossary lists as *not* used is in no name, no text of the product, and nothing that describes its
//! interfaces. Comments, prose of the docs, names and texts of Rust's tests, and texts of other tests are not read.

use std::collections::BTreeMap;
use std::path::Path;

use nofx_shared::events::EventType;
use nofx_shared::problem::Kind;

use crate::allowed;
use crate::glossary::{Forbidden, Glossary};
use crate::layout::{files, root};
use crate::names::{rust_names, sql_names, sql_texts};
use crate::rust_source::{Token, program};
use crate::script_source::Script;

/// The part of the repository that a list of exceptions names: a file may move within it.
fn room(file: &Path) -> &str {
    let path = file.strip_prefix(root()).ok().and_then(Path::to_str).expect("a path below the root");
    if path.starts_with("supabase/local") { "supabase/local" } else { path.split('/').next().expect("a folder") }
}

/// What tests print is for those who build the product.
fn is_test(file: &Path) -> bool {
    let path = file.strip_prefix(root()).expect("a path below the root");
    path.components().any(|part| part.as_os_str() == "test" || part.as_os_str() == "tests")
}

/// The names and texts of a file that have a forbidden word.
fn words<'a>(glossary: &'a Glossary, file: &Path, text: &str) -> Vec<(String, &'a Forbidden)> {
    let name = |name: &str| Some((name.to_owned(), glossary.find_in_name(name)?));
    let words = |text: &str| Some((text.to_owned(), glossary.find(text)?));
    match file.extension().and_then(|ending| ending.to_str()).expect("an ending") {
        "rs" => {
            let tokens = program(text);
            let texts = tokens.iter().copied().filter_map(Token::text).filter(|_| !is_test(file));
            rust_names(&tokens).into_iter().filter_map(name).chain(texts.filter_map(words)).collect()
        }
        "sql" => {
            let names = sql_names(text);
            names.iter().filter_map(|one| name(one)).chain(sql_texts(text).iter().filter_map(|one| words(one))).collect()
        }
        language @ ("mjs" | "py" | "ts") => {
            let Script { names, texts } = Script::read(text, language == "py");
            let texts = texts.into_iter().filter(|_| !is_test(file));
            names.into_iter().filter_map(name).chain(texts.filter_map(words)).collect()
        }
        // Help and schemas; the script of the pages, whose functions are the browser's.
        _ => text.lines().flat_map(|line| line.split('"')).filter_map(words).collect(),
    }
}

#[test]
fn no_name_and_no_text_has_a_word_that_the_glossary_replaced() {
    let glossary = Glossary::read(&std::fs::read_to_string(root().join("docs/glossary.md")).expect("the glossary"));
    assert!(glossary.forbidden.len() > 30, "the column `not` of docs/glossary.md was not found");
    let mut found = BTreeMap::new();
    let mut add = |room: &str, place: &str, name: &str, forbidden: &Forbidden| {
        let Forbidden { written, instead, .. } = forbidden;
        found.insert(format!("{room}: {name}"), format!("{place} says `{written}`, the word of docs/glossary.md is `{instead}`"));
    };
    let code = files(&["api", "cli", "sandbox", "shared", "supabase/local", "tests", "worker"], &["rs"]);
    let others = files(&["docs/interface", "public", "supabase/migrations"], &["js", "json", "sql", "txt"]);
    let scripts = files(&["clients", "config", "sandbox", "scripts", "tests", "worker"], &["mjs", "py", "ts"]);
    for ending in ["mjs", "py", "ts"] {
        assert!(scripts.iter().any(|file| file.extension().is_some_and(|one| one == ending)), "no script ends in .{ending}");
    }
    // Of others, made of the description that is read above, and what speaks Modal's wire by its names.
    let others_names = ["public/vendor", "clients/python/nofx/schema.py", "clients/typescript/src/schema.ts", "tests/src/fakes/modal.py"];
    let others_names = others_names.map(|path| root().join(path));
    for file in code.iter().chain(&others).chain(&scripts).filter(|file| !others_names.iter().any(|path| file.starts_with(path))) {
        let text = std::fs::read_to_string(file).expect("text");
        for (name, forbidden) in words(&glossary, file, &text) {
            add(room(file), &file.display().to_string(), &name, forbidden);
        }
    }
    // What macros make of them is in no file.
    for name in Kind::ALL.iter().flat_map(|kind| [kind.slug(), kind.title()]).chain(EventType::ALL.iter().copied()) {
        if let Some(forbidden) = glossary.find(name) {
            add("shared", "a problem or an event", name, forbidden);
        }
    }
    allowed::exactly("words", 82, &found);
}

#[cfg(test)]
mod tests {
    use super::words;
    use crate::glossary::Glossary;
    use crate::layout::root;

    const GLOSSARY: &str = "| word | meaning | not |\n| --- | --- | --- |\n| step | a node | task, is over |\n";

    fn found(path: &str, text: &str) -> usize {
        words(&Glossary::read(GLOSSARY), &root().join(path), text).len()
    }

    #[test]
    fn names_and_texts_of_the_product_are_read() {
        for text in
            ["let task = 1;", "fn f(task: A) {}", "use a::B as Task;", "f(\"task\")", "f(\".task\")", "f(\"it is over\")", "|task| 1"]
        {
            assert_eq!(found("api/a.rs", text), 1, "{text}");
        }
        assert_eq!(found("api/a.rs", "tokio::task::spawn(a); // A task.\n#[test] fn a_task() { task }"), 0);
        assert_eq!(found("tests/src/a.rs", "fn task() { f(\"task\") }"), 1);
    }

    #[test]
    fn scripts_and_clients_are_read() {
        for text in ["task = 1", "def f(task): pass", "f('The run is over.')", "from a import task"] {
            assert_eq!(found("clients/python/a.py", text), 1, "{text}");
        }
        assert_eq!(found("clients/python/a.py", "asyncio.task(a)  # A task."), 0);
        assert_eq!(found("clients/python/test/a.py", "task = 'task'"), 1, "names of tests are read, their texts are not");
        assert_eq!(found("clients/typescript/src/a.ts", "const a = b.task; /* task */ let c = 'task';"), 1);
        assert_eq!(found("tests/a.mjs", "const task = `task`;"), 1);
    }

    #[test]
    fn migrations_interfaces_and_the_script_are_read() {
        for text in [
            "p_task int",
            "v_tasks int;",
            "with task as (",
            "create index a_task_b on c",
            "jsonb_build_object('task', 1)",
            "'The run is over.'",
        ] {
            assert_eq!(found("supabase/migrations/a.sql", text), 1, "{text}");
        }
        assert_eq!(found("supabase/migrations/a.sql", "-- A task.\nselect 1;"), 0);
        assert_eq!(found("docs/interface/cli.txt", "      --all  Every task"), 1);
        assert_eq!(found("docs/interface/openapi.json", "\"summary\": \"Retry a task.\","), 1);
        assert_eq!(found("public/app.js", "const task = 1;"), 1);
    }
}
