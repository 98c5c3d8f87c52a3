//! Each row of the threat model names tests, and each of them is there.

use std::path::Path;

use crate::layout::{files, root};

/// Where tests stand.
const ROOMS: [&str; 7] = ["api", "cli/src", "sandbox", "shared/src", "supabase/local", "tests", "worker/src"];

/// The cells of the rows of the first table below a heading.
fn rows<'a>(page: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let section = page.lines().skip_while(|line| *line != heading).skip(1).skip_while(|line| !line.starts_with('|'));
    let table = section.take_while(|line| line.starts_with('|')).skip(2);
    table.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// The names in a cell, or what is no name.
fn names(cell: &str) -> Result<Vec<&str>, &str> {
    cell.split(", ").map(|part| part.strip_prefix('`').and_then(|part| part.strip_suffix('`')).ok_or(part)).collect()
}

/// Whether a file is the module of a name: by the end of its path.
fn is_module(file: &Path, module: &[&str]) -> bool {
    let path = file.with_extension("");
    let parts: Vec<_> = path.components().filter_map(|part| part.as_os_str().to_str()).collect();
    parts.ends_with(module)
}

/// Whether a text has a test of this name.
fn has_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    let is_it = |line: &str| {
        line.trim_start()
            .trim_start_matches("async ")
            .strip_prefix("fn ")
            .is_some_and(|rest| rest.strip_prefix(name).is_some_and(|rest| rest.starts_with('(')))
    };
    let is_test = |line: &&str| line.trim_start().starts_with("#[test]") || line.trim_start().starts_with("#[tokio::test");
    let attributes = |at: usize| lines[..at].iter().rev().take_while(|line| line.trim_start().starts_with("#["));
    (0..lines.len()).any(|at| is_it(lines[at]) && attributes(at).any(&is_test))
}

#[test]
fn every_threat_names_tests_that_are_there() {
    let page = std::fs::read_to_string(root().join("docs/confinement.md")).expect("text");
    let all = files(&ROOMS, &["rs"]);
    let rows = rows(&page, "## Threats");
    assert!(rows.len() > 30, "the table was not found");
    let mut wrong = vec![];
    for row in rows {
        let [who, way, _, tests] = row[..] else { panic!("it has four cells: {row:?}") };
        match names(tests) {
            Ok(names) => wrong.extend(names.into_iter().filter(|name| !is_there(&all, name)).map(|name| format!("{who}, {way}: {name}"))),
            Err(other) => wrong.push(format!("{who}, {way}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "name tests as `folder::file::function`, each of which is there:\n  {}", wrong.join("\n  "));
}

fn is_there(all: &[std::path::PathBuf], name: &str) -> bool {
    let parts: Vec<&str> = name.split("::").collect();
    let Some((function, module @ [_, ..])) = parts.split_last() else { return false };
    let mut files = all.iter().filter(|file| is_module(file, module));
    files.any(|file| has_test(&std::fs::read_to_string(file).expect("text"), function))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{has_test, is_module, names, rows};

    #[test]
    fn a_table_is_read_below_its_heading_only() {
        let page = "| x | y |\n## Threats\n\ntext\n\n| a | b |\n| --- | --- |\n| 1 | `f::g` |\n| 2 | |\n\n| other |\n";
        assert_eq!(rows(page, "## Threats"), [vec!["1", "`f::g`"], vec!["2", ""]]);
        assert_eq!(rows(page, "## None"), Vec::<Vec<&str>>::new());
    }

    #[test]
    fn a_name_is_a_file_and_a_test_in_it() {
        assert_eq!(names("`a::b`, `c::d`"), Ok(vec!["a::b", "c::d"]));
        assert!(names("").is_err() && names("worker's `a::b`").is_err());
        assert!(is_module(Path::new("/x/tests/services/git.rs"), &["services", "git"]));
        assert!(!is_module(Path::new("/x/tests/services/git.rs"), &["chaos", "git"]));
        let text = "#[tokio::test(flavor = \"multi_thread\")]\nasync fn a() {}\nfn b() {}\n#[test]\n#[cfg(unix)]\nfn c() {}\n";
        assert_eq!(["a", "b", "c", "d", ""].map(|name| has_test(text, name)), [true, false, true, false, false]);
    }
}
