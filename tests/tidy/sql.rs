//! Migrations: contracts of functions, and traps learned by experiment. That every table is secured is asked of the database itself: see
//! `supabase/tests/core/secure_table`.

use nofx_tests::stack::root;

use crate::layout::files;

fn migrations() -> Vec<(String, String)> {
    files(&["supabase/migrations"], &["sql"])
        .into_iter()
        .map(|file| {
            let name = file.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(file).expect("text"))
        })
        .collect()
}

/// Each `create function` with the comment above it.
pub(crate) fn functions() -> Vec<(String, String, String)> {
    let mut found = vec![];
    for (file, text) in migrations() {
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("create function ")) {
            let mut comment: Vec<&str> = lines[..at].iter().rev().take_while(|line| line.starts_with("--")).copied().collect();
            comment.reverse();
            let body: String = lines[at..].iter().take_while(|line| **line != "$$;").flat_map(|line| [*line, "\n"]).collect();
            let name = line.trim_start_matches("create function ").split('(').next().expect("a name");
            found.push((format!("{file}: {name}"), comment.join("\n"), body));
        }
    }
    assert!(found.len() > 30, "the functions were not found");
    found
}

/// The area of a migration, `AANN_<area>_<object>.sql`: the folder of `supabase/tests` that is named so (`db_write` has two words).
pub(crate) fn area(file: &str) -> String {
    let rest = file.split_once('_').expect("a number").1;
    std::fs::read_dir(root().join("supabase/tests"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .find(|area| rest.starts_with(&format!("{area}_")))
        .unwrap_or_else(|| panic!("{file}: no folder of supabase/tests has the name of its area"))
}

#[test]
fn every_function_says_what_it_takes_locks_returns_and_raises() {
    for (name, comment, _) in functions() {
        for label in ["Takes:", "Locks:", "Returns:", "Raises:"] {
            assert!(comment.contains(&format!("-- {label}")), "{name}: its comment has no line `-- {label} …`");
        }
    }
}

#[test]
fn every_function_has_an_empty_search_path() {
    for (name, _, body) in functions() {
        assert!(body.contains("set search_path = ''"), "{name}: add `set search_path = ''`");
    }
}

#[test]
fn no_function_raises_a_serialisation_failure() {
    for (name, _, body) in functions() {
        assert!(
            !body.contains("40001") && !body.contains("serialization_failure"),
            "{name}: PostgREST retries class 40 for ever, use refuse()"
        );
    }
}

#[test]
fn every_update_and_delete_in_a_function_has_a_where() {
    for (name, _, body) in functions() {
        for statement in body.split(';') {
            let flat = statement.split_whitespace().collect::<Vec<_>>().join(" ");
            for verb in ["update nofx.", "delete from nofx."] {
                if let Some(at) = flat.find(verb)
                    && !flat[..at].ends_with("after ")
                {
                    assert!(flat[at..].contains(" where "), "{name}: `{verb}…` without where is refused by hosted Supabase");
                }
            }
        }
    }
}

#[test]
fn every_function_has_a_folder_of_tests() {
    for (name, _, _) in functions() {
        let (file, function) = name.split_once(": ").expect("file: name");
        let area = area(file);
        let function = function.rsplit('.').next().expect("a name");
        let folder = root().join("supabase/tests").join(&area).join(function);
        assert!(folder.is_dir(), "{name}: write its pgTAP tests in supabase/tests/{area}/{function}/, one behaviour a file");
    }
}

#[test]
fn the_code_knows_the_newest_migration() {
    let newest = migrations().last().and_then(|(name, _)| name.split('_').next().map(str::to_owned)).expect("migrations");
    assert_eq!(nofx_shared::db::SCHEMA, newest, "set SCHEMA in shared/src/db/schema_version.rs");
}
