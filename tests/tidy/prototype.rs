//! docs/from-the-prototype.md: what it says exists here does, and every name of the prototype is in it.

use std::collections::{BTreeMap, BTreeSet};

use nofx_shared::events::EventType;
use nofx_shared::plan::TOOLS;
use serde_json::Value;

use crate::layout::{files, root};

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn json(path: &str) -> Value {
    serde_json::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What the repository has, by kind.
struct Here {
    package: Value,
    openapi: Value,
    cli: String,
    pages: String,
    settings: String,
    /// Table → its columns, as SQL.
    tables: BTreeMap<String, String>,
}

impl Here {
    fn new() -> Self {
        let mut tables = BTreeMap::new();
        for file in files(&["supabase/migrations"], &["sql"]) {
            let text = std::fs::read_to_string(&file).expect("text");
            for table in text.split("\ncreate table ").skip(1).chain(text.strip_prefix("create table ")) {
                let Some((name, columns)) = table.split_once(" (\n") else { continue };
                tables.insert(name.to_owned(), columns.split("\n)").next().unwrap_or_default().to_owned());
            }
        }
        Self {
            package: json("package.json"),
            openapi: json("docs/interface/openapi.json"),
            cli: read("docs/interface/cli.txt"),
            pages: read("api/_lib/ui/routes.rs"),
            settings: read(".env.example"),
            tables,
        }
    }

    /// Whether a name exists. What has the form of no kind does not.
    fn has(&self, name: &str) -> bool {
        let is_variable = name.contains('_') && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        if let Some(script) = name.strip_prefix("npm run ") {
            self.package["scripts"][script].is_string()
        } else if let Some(command) = name.strip_prefix("nofx ") {
            self.has_command(command)
        } else if let Some(words) = name.strip_prefix("scripts/test.sh ") {
            words.split(' ').all(has_scenarios)
        } else if let Some((method, path)) = name.split_once(' ') {
            self.openapi["paths"][path][method.to_lowercase()].is_object()
        } else if name.starts_with("/ui") {
            self.pages.contains(&format!("\"{name}\""))
        } else if let Some(table) = name.strip_prefix("nofx.") {
            self.has_table(table)
        } else if let Some(secret) = name.strip_prefix("NOFX_SECRET_") {
            self.has(secret)
        } else if is_variable {
            self.settings.lines().any(|line| line.split_once('=').is_some_and(|(variable, _)| variable == name))
        } else {
            TOOLS.contains(&name) || EventType::ALL.contains(&name) || name.contains(['/', '.']) && root().join(name).exists()
        }
    }

    /// A command, with an option of it.
    fn has_command(&self, words: &str) -> bool {
        let (command, option) = words.split_once(' ').unwrap_or((words, ""));
        let help = self.cli.split(&format!("\n$ nofx {command} --help\n")).nth(1).and_then(|rest| rest.split("\n$ ").next());
        help.is_some_and(|help| option.is_empty() || help.contains(&format!(" {option}")))
    }

    /// A table, or a column of one.
    fn has_table(&self, name: &str) -> bool {
        let (table, column) = name.split_once('.').map_or((name, None), |(table, column)| (table, Some(column)));
        let Some(columns) = self.tables.get(&format!("nofx.{table}")) else { return false };
        column.is_none_or(|column| {
            columns.lines().any(|line| line.split_whitespace().next().is_some_and(|word| word.trim_matches('"') == column))
        })
    }
}

/// Whether this is the path of a module of scenarios, which all names of its tests begin with.
fn has_scenarios(path: &str) -> bool {
    let module = root().join("tests/scenarios").join(path.replace("::", "/"));
    module.is_dir() || module.with_extension("rs").is_file()
}

/// The rows of the tables: what is there, and what it is here.
fn rows(page: &str) -> Vec<(String, String)> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
    let rows = rows.filter(|(there, _)| *there != "there" && !there.starts_with("---"));
    rows.map(|(there, here)| (there.to_owned(), here.to_owned())).collect()
}

/// What is set as code.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The names of the prototype that have a row. Columns after the first of a row name no table: they are of the same one.
fn rows_of(page: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (there, _) in rows(page) {
        let table = names(&there).next().and_then(|first| first.split_once('.')).map_or("", |(table, _)| table);
        for name in names(&there) {
            found.extend([name.to_owned(), format!("{table}.{name}")]);
        }
    }
    found
}

/// The names of the list that have no row.
fn missing<'a>(list: &'a str, page: &str) -> Vec<&'a str> {
    let rows = rows_of(page);
    list.lines().filter(|name| !rows.contains(*name)).collect()
}

/// What is wrong with the page.
fn faults(here: &Here, page: &str) -> Vec<String> {
    let mut faults = vec![];
    for (there, text) in rows(page) {
        if let Some(later) = text.strip_prefix("not yet: ").or_else(|| text.strip_prefix("none: ")) {
            if later.contains('`') {
                faults.push(format!("{there}: what is not there is not set as code: {text}"));
            }
            // A name that has come meanwhile, under its own name.
            faults.extend(names(&there).filter(|name| here.has(name)).map(|name| format!("{there}: {name} exists now")));
            continue;
        }
        let is_option = |name: &&str| !name.starts_with("--") && !name.starts_with('"');
        let claimed: Vec<&str> = names(&text).filter(is_option).collect();
        if claimed.is_empty() {
            faults.push(format!("{there}: name what it is here, or say `not yet: <area>`"));
        }
        faults.extend(claimed.into_iter().filter(|name| !here.has(name)).map(|name| format!("{there}: there is no {name}")));
    }
    faults
}

#[test]
fn what_the_page_of_the_prototype_names_exists() {
    let page = read("docs/from-the-prototype.md");
    assert!(rows(&page).len() > 100, "the tables were not found");
    let faults = faults(&Here::new(), &page);
    assert!(faults.is_empty(), "docs/from-the-prototype.md:\n  {}", faults.join("\n  "));
}

#[test]
fn every_name_of_the_prototype_has_a_row() {
    let (list, page) = (read("tests/tidy/prototype.txt"), read("docs/from-the-prototype.md"));
    assert!(list.lines().count() > 200, "the list was not found");
    assert_eq!(missing(&list, &page), Vec::<&str>::new(), "docs/from-the-prototype.md has no row for these");
    let rows = "| `a.b`, `c` | `x` |\n| d | `e` |\n\n`f`";
    assert_eq!(missing("a.b\na.c\nc\na.d\nd\ne\nf\n", rows), ["a.d", "d", "e", "f"]);
}

#[test]
fn a_name_that_does_not_exist_is_noticed() {
    let here = Here::new();
    for name in [
        "npm run nothing",
        "nofx nothing",
        "nofx dev --nothing",
        "GET /api/nothing",
        "DELETE /api/runs",
        "/ui/nothing",
        "nofx.nothing",
        "nofx.run.nothing",
        "NOFX_NOTHING",
        "scripts/test.sh nothing",
        "scripts/test.sh core::events nothing",
        "gate:nothing",
        "step.nothing",
        "docs/nothing.md",
        "run",
    ] {
        assert!(!here.has(name), "{name}");
    }
    assert_eq!(faults(&here, "| `nofx.x` | `nofx.x` |\n| a | not yet: b |\n| c | d |\n| `nofx.run` | not yet: runs |").len(), 3);
}

#[test]
fn every_script_is_a_command_of_the_prototype() {
    let page = read("docs/from-the-prototype.md");
    for name in json("package.json")["scripts"].as_object().expect("scripts").keys() {
        assert!(page.contains(&format!("`npm run {name}`")), "docs/from-the-prototype.md: no row for npm run {name}");
    }
}
