//! The docs are complete: settings, problems, linked paths, statuses, areas.

use std::collections::BTreeSet;

use nofx_shared::engine::{RunStatus, StepStatus};
use nofx_shared::events::EventType;
use nofx_shared::problem::Kind;

use crate::layout::{files, root};

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_setting_is_in_the_example() {
    let code: String = files(&["shared/src/settings"], &["rs"]).iter().map(|file| std::fs::read_to_string(file).expect("text")).collect();
    let example = read(".env.example");
    let named: BTreeSet<&str> = code
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|text| text.len() > 4 && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))
        .filter(|name| !matches!(*name, "PATH" | "SSL_CERT_FILE" | "ECS_AGENT_URI" | "LAMBDA_TASK_ROOT"))
        .collect();
    assert!(named.len() > 12, "the settings were not found");
    for name in named {
        assert!(example.lines().any(|line| line.starts_with(&format!("{name}="))), "add {name}= to .env.example, with what it means");
    }
}

#[test]
fn every_problem_has_a_page_and_every_page_a_problem() {
    let slugs: BTreeSet<String> = Kind::ALL.iter().map(|kind| kind.slug().to_owned()).collect();
    let pages = files(&["docs/problems"], &["md"]).into_iter().filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned())).collect();
    assert_eq!(slugs, pages, "write docs/problems/<slug>.md for each problem: what happened, and what to do");
}

/// The parts of a problem's page, in order.
const PARTS: [&str; 3] = ["**What happened.**", "**Common causes.**", "**What to do.**"];

/// Whether a page has the three parts, each once and with text of its own.
fn has_parts(page: &str) -> bool {
    let mut rest = page;
    PARTS.iter().all(|part| {
        let Some((before, after)) = rest.split_once(part) else { return false };
        rest = after;
        let text = PARTS.iter().fold(after, |text, next| text.split(next).next().unwrap_or_default());
        !before.contains("**What") && !before.contains("**Common") && !text.trim().is_empty() && !after.contains(part)
    })
}

#[test]
fn every_page_of_a_problem_says_what_happened_why_and_what_to_do() {
    let without: Vec<_> =
        files(&["docs/problems"], &["md"]).into_iter().filter(|file| !has_parts(&std::fs::read_to_string(file).expect("text"))).collect();
    assert!(without.is_empty(), "a page has the parts {PARTS:?}, in this order and each with text: {without:?}");
}

#[test]
fn an_event_is_a_noun_and_what_happened_to_it() {
    let statuses: BTreeSet<&str> =
        RunStatus::ALL.iter().map(|status| status.as_str()).chain(StepStatus::ALL.iter().map(|status| status.as_str())).collect();
    let is_named = |name: &str| {
        name.split_once('.').is_some_and(|(_, what)| statuses.contains(what) || what.split('_').any(|word| word.ends_with("ed")))
    };
    let wrong: Vec<_> = EventType::ALL.iter().filter(|name| !is_named(name)).collect();
    assert!(wrong.is_empty(), "name them `<noun>.<past participle>`, see docs/adding/an-event.md: {wrong:?}");
    assert!(!is_named("sandbox.usage") && !is_named("runs") && is_named("step.ready") && is_named("step.timed_out"));
}

#[test]
fn every_path_that_the_docs_link_to_is_there() {
    for file in files(&["docs"], &["md"]).into_iter().chain([root().join("README.md")]) {
        let text = std::fs::read_to_string(&file).expect("text");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            let target = file.parent().expect("a folder").join(path);
            assert!(target.exists(), "{}: {link} is not there", file.display());
        }
    }
}

#[test]
fn statuses_are_the_same_in_code_and_sql() {
    let sql = read("supabase/migrations/0100_engine_tables.sql");
    let in_code = [
        ("run_status", RunStatus::ALL.iter().map(|status| status.as_str()).collect::<Vec<_>>()),
        ("step_status", StepStatus::ALL.iter().map(|status| status.as_str()).collect()),
    ];
    for (machine, in_code) in in_code {
        let declared =
            sql.split(&format!("create type nofx.{machine} as enum")).nth(1).and_then(|rest| rest.split(')').next()).expect("the type");
        let in_sql: Vec<&str> = declared.split('\'').skip(1).step_by(2).collect();
        assert_eq!(in_code, in_sql, "{machine}: shared/src/engine/status.rs and 0100_engine_tables.sql differ");
    }
}

#[test]
fn every_area_of_the_schema_has_one_row() {
    let table = read("docs/architecture.md");
    for file in files(&["supabase/migrations"], &["sql"]) {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let area = crate::sql::area(&name);
        let rows = table.lines().filter(|line| line.starts_with(&format!("| {area} |"))).count();
        assert_eq!(rows, 1, "{name}: the area {area} has one row in the table of docs/architecture.md");
    }
}

#[cfg(test)]
mod tests {
    use super::has_parts;

    #[test]
    fn a_part_that_is_missing_empty_doubled_or_in_another_place_is_found() {
        assert!(has_parts("# A\n\n**What happened.** B.\n\n**Common causes.** C.\n\n**What to do.** D."));
        for page in [
            "# A",
            "**What happened.** B. **Common causes.** C.",
            "**What happened.** B. **Common causes.** **What to do.** D.",
            "**What happened.** B. **Common causes.** C. **What to do.** ",
            "**Common causes.** C. **What happened.** B. **What to do.** D.",
            "**What happened.** B. **What happened.** B. **Common causes.** C. **What to do.** D.",
        ] {
            assert!(!has_parts(page), "{page}");
        }
    }
}
