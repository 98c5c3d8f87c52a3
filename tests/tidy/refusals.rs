//! Refusals: the database raises slugs and statuses, and Rust has the same in two tables, `Kind` and `api/_lib/http/problem.rs`.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use nofx_shared::problem::Kind;
use regex::Regex;

use crate::layout::{files, root};
use crate::rust_source::{Token, program};
use crate::sql::functions;

fn texts(folders: &[&str], ending: &str) -> Vec<(String, String)> {
    let read = |file: std::path::PathBuf| (file.display().to_string(), std::fs::read_to_string(file).expect("text"));
    files(folders, &[ending]).into_iter().map(read).collect()
}

/// The status and the slug of each refusal in a migration; fails when one is not written out.
fn refusals(text: &str) -> Vec<(u16, String)> {
    let written = Regex::new(r"perform nofx_private\.refuse\(\s*(\d+),\s*'([^']+)',").expect("a pattern");
    let found: Vec<_> = written.captures_iter(text).map(|one| (one[1].parse().expect("a status"), one[2].to_owned())).collect();
    assert_eq!(found.len(), text.matches("perform nofx_private.refuse(").count(), "write status and slug of a refusal out: {text}");
    found
}

/// Which status each kind has, as the match of `fn status` says.
fn statuses(text: &str) -> BTreeMap<String, u16> {
    // `StatusCode::NOT_FOUND` is "Not Found".
    let named = |name: &str| (100..600).find(|code| reason(*code).is_some_and(|reason| reason == name));
    let reason_of = |name: &str| named(name).unwrap_or_else(|| panic!("no status is {name}"));
    let (mut found, mut kinds) = (BTreeMap::new(), vec![]);
    for three in program(text).windows(3).filter(|three| three[1].is("::")) {
        match (three[0].word(), three[2].word()) {
            (Some("Kind"), Some(kind)) => kinds.push(kind.to_owned()),
            (Some("StatusCode"), Some(status)) => found.extend(kinds.drain(..).map(|kind| (kind, reason_of(status)))),
            _ => {}
        }
    }
    found
}

fn reason(code: u16) -> Option<String> {
    Some(StatusCode::from_u16(code).ok()?.canonical_reason()?.to_uppercase().replace(' ', "_"))
}

/// The names that follow `Kind::`.
fn kinds(tokens: &[Token<'_>]) -> Vec<String> {
    let pairs = tokens.windows(3).filter(|three| three[0].is("Kind") && three[1].is("::"));
    pairs.filter_map(|three| three[2].word()).map(str::to_owned).collect()
}

#[test]
fn the_database_refuses_with_the_slugs_and_statuses_of_the_api() {
    let text = std::fs::read_to_string(root().join("api/_lib/http/problem.rs")).expect("text");
    let statuses = statuses(text.split("impl IntoResponse").next().expect("the table"));
    assert_eq!(statuses.len(), Kind::ALL.len(), "the table of api/_lib/http/problem.rs was not read");
    let mut count = 0;
    for (file, text) in texts(&["supabase/migrations"], "sql") {
        for (status, slug) in refusals(&text) {
            let kind = Kind::from_slug(&slug).unwrap_or_else(|| panic!("{file}: `{slug}` is no slug of shared/src/problem.rs"));
            let expected = statuses[&format!("{kind:?}")];
            assert_eq!(status, expected, "{file}: `{slug}` has another status in api/_lib/http/problem.rs");
            count += 1;
        }
    }
    assert!(count > 80, "only {count} refusals were found");
}

#[test]
fn every_function_says_which_refusals_it_raises() {
    for (name, comment, body) in functions() {
        let raises = comment.split("-- Raises:").nth(1).unwrap_or_default();
        for (status, slug) in refusals(&body) {
            assert!(raises.contains(&format!("{status} {slug}")), "{name}: add `{status} {slug}` to its line `-- Raises: …`");
        }
    }
}

#[test]
fn every_problem_is_raised_somewhere() {
    let mut raised: BTreeSet<String> = BTreeSet::new();
    for (_, text) in texts(&["supabase/migrations"], "sql") {
        raised.extend(refusals(&text).iter().filter_map(|(_, slug)| Some(format!("{:?}", Kind::from_slug(slug)?))));
    }
    for (file, text) in texts(&["api", "cli", "sandbox", "shared", "worker"], "rs") {
        let tokens = program(&text);
        // The table names all of them and raises few.
        let begin = if file.ends_with("http/problem.rs") { tokens.iter().position(|token| token.is("impl")).unwrap_or(0) } else { 0 };
        raised.extend(kinds(&tokens[begin..]));
    }
    let unused: Vec<_> = Kind::ALL.iter().filter(|kind| !raised.contains(&format!("{kind:?}"))).collect();
    assert!(unused.is_empty(), "nothing raises {unused:?}: remove them from shared/src/problem.rs");
}

#[cfg(test)]
mod tests {
    use super::{refusals, statuses};

    #[test]
    fn refusals_are_read_over_lines() {
        let text = "perform nofx_private.refuse(404, 'a-b', p_c, 'd');\n perform nofx_private.refuse(\n  422,\n  'cycle', 'e');";
        assert_eq!(refusals(text), [(404, "a-b".to_owned()), (422, "cycle".to_owned())]);
    }

    #[test]
    #[should_panic(expected = "write status and slug of a refusal out")]
    fn a_refusal_with_a_slug_that_is_computed_is_not_read() {
        refusals("perform nofx_private.refuse(404, v_slug, p_c);");
    }

    #[test]
    fn kinds_get_the_status_behind_them() {
        let found = statuses("match kind { Kind::A | Kind::B => StatusCode::NOT_FOUND, Kind::C => StatusCode::CONFLICT }");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [("A".to_owned(), 404), ("B".to_owned(), 404), ("C".to_owned(), 409)]);
    }
}
