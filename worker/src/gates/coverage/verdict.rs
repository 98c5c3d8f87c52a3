//! Compares changed and covered lines. Whole numbers only: a share is never rounded.

use std::collections::BTreeMap;

use nofx_shared::gates::{CoveredFile, Verdict};

use super::diff::Change;
use super::join::JoinedReports;
use crate::gates::kinds::is_source;

/// Names of tests in each language: most tools do not measure tests.
const TEST_FOLDERS: &[&str] = &["tests", "test", "__tests__", "spec", "testdata", "fixtures", "e2e"];
const TEST_ENDINGS: &[&str] = &["_test.go", "_test.py", "_test.rs", "_spec.rb", "Test.java", "Tests.cs", "Test.kt", "Test.php"];

#[derive(Debug, PartialEq, Eq)]
pub(super) struct CoverageResult {
    pub verdict: Verdict,
    pub files: BTreeMap<String, CoveredFile>,
    pub covered: u64,
    pub coverable: u64,
    /// Changed source files that are not in any report.
    pub unmeasured: Vec<String>,
    /// Changed files that do not count, and why.
    pub left_out: BTreeMap<String, &'static str>,
}

/// `threshold_milli`: thousandths of a percent. `is_excluded`, `is_generated`: by path.
pub(super) fn judge(
    changes: &[Change],
    reports: &JoinedReports,
    threshold_milli: u64,
    is_excluded: impl Fn(&str) -> bool,
    is_generated: impl Fn(&str) -> bool,
) -> CoverageResult {
    let mut result = CoverageResult {
        verdict: Verdict::NotApplicable,
        files: BTreeMap::new(),
        covered: 0,
        coverable: 0,
        unmeasured: vec![],
        left_out: BTreeMap::new(),
    };
    let mut measured = 0;
    for change in changes {
        let path = &change.path;
        let reason = if change.is_deleted {
            Some("deleted")
        } else if is_excluded(path) {
            Some("excluded")
        } else if is_generated(path) {
            Some("generated")
        } else if change.is_binary && is_source(path) {
            // A byte that is no text hides its lines, not the code.
            result.unmeasured.push(path.clone());
            continue;
        } else if change.is_binary {
            Some("binary")
        } else if change.added.is_empty() {
            Some("no added lines")
        } else {
            None
        };
        if let Some(reason) = reason {
            result.left_out.insert(path.clone(), reason);
            continue;
        }
        let Some(lines) = reports.files.get(path) else {
            if !is_source(path) {
                result.left_out.insert(path.clone(), "not source");
            } else if is_test(path) {
                result.left_out.insert(path.clone(), "test, not measured");
            } else {
                result.unmeasured.push(path.clone());
            }
            continue;
        };
        measured += 1;
        let (covered, uncovered): (Vec<u32>, Vec<u32>) =
            change.added.iter().filter(|line| lines.contains_key(line)).partition(|line| lines[line] > 0);
        result.covered += covered.len() as u64;
        result.coverable += (covered.len() + uncovered.len()) as u64;
        if !covered.is_empty() || !uncovered.is_empty() {
            result.files.insert(path.clone(), CoveredFile { covered: ranges(&covered), uncovered: ranges(&uncovered) });
        }
    }
    result.verdict = if !result.unmeasured.is_empty() {
        Verdict::Inconclusive
    } else if result.coverable == 0 && measured == 0 {
        Verdict::NotApplicable
    } else if u128::from(result.covered) * 100_000 >= u128::from(result.coverable) * u128::from(threshold_milli) {
        Verdict::Pass
    } else {
        Verdict::Fail
    };
    result
}

/// Whether a change may have lines that tests must run.
pub(super) fn is_to_measure(change: &Change) -> bool {
    !change.is_deleted && is_source(&change.path)
}

fn is_test(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    folders.split('/').any(|folder| TEST_FOLDERS.contains(&folder))
        || TEST_ENDINGS.iter().any(|ending| name.ends_with(ending))
        || name.contains(".test.")
        || name.contains(".spec.")
        || name.starts_with("test_")
        || name == "conftest.py"
}

/// Neighbouring lines as `[first, last]`.
fn ranges(lines: &[u32]) -> Vec<[u32; 2]> {
    let mut out: Vec<[u32; 2]> = vec![];
    for line in lines {
        match out.last_mut() {
            Some(last) if last[1] + 1 == *line => last[1] = *line,
            _ => out.push([*line, *line]),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use nofx_shared::gates::Verdict;

    use super::super::diff::Change;
    use super::super::join::JoinedReports;
    use super::{CoverageResult, judge};

    fn change(path: &str, lines: std::ops::RangeInclusive<u32>) -> Change {
        Change { path: path.to_owned(), added: lines.collect(), ..Change::default() }
    }

    /// Ten lines of a.rs, the first `covered` of which ran.
    fn judge_lines(covered: u32, changes: &[Change], threshold_milli: u64) -> CoverageResult {
        let mut reports = JoinedReports::default();
        reports.files.insert("a.rs".to_owned(), (1..=10).map(|line| (line, u64::from(line <= covered))).collect());
        judge(changes, &reports, threshold_milli, |path| path == "no.rs", |path| path == "made.rs")
    }

    #[test]
    fn the_share_is_compared_without_rounding() {
        assert_eq!(judge_lines(9, &[change("a.rs", 1..=10)], 90_000).verdict, Verdict::Pass);
        assert_eq!(judge_lines(9, &[change("a.rs", 1..=10)], 90_001).verdict, Verdict::Fail);
        assert_eq!(judge_lines(10, &[change("a.rs", 1..=10)], 100_000).verdict, Verdict::Pass);
        // 8 of 9 is 88.88…
        assert_eq!(judge_lines(8, &[change("a.rs", 1..=9)], 88_889).verdict, Verdict::Fail);
    }

    #[test]
    fn a_source_file_in_no_report_is_inconclusive() {
        let result = judge_lines(10, &[change("a.rs", 1..=10), change("b.rs", 1..=1)], 90_000);
        assert_eq!((result.verdict, result.unmeasured), (Verdict::Inconclusive, vec!["b.rs".to_owned()]));
    }

    #[test]
    fn nothing_to_cover_is_told_apart_from_nothing_covered() {
        let text = [change("README.md", 1..=9), change("no.rs", 1..=1), change("made.rs", 1..=1), change("tests/x.rs", 1..=1)];
        let texts = judge_lines(0, &text, 90_000);
        assert_eq!(texts.verdict, Verdict::NotApplicable);
        assert_eq!(texts.left_out.values().copied().collect::<Vec<_>>(), ["not source", "generated", "excluded", "test, not measured"]);
        let comments = judge_lines(0, &[change("a.rs", 20..=30)], 90_000);
        assert_eq!((comments.verdict, comments.coverable), (Verdict::Pass, 0), "it was measured, and no changed line can run");
        let hidden = Change { is_binary: true, ..change("x.js", 1..=1) };
        assert_eq!(judge_lines(10, &[hidden], 0).verdict, Verdict::Inconclusive);
        let found = judge_lines(0, &[change("a.rs", 1..=2)], 90_000);
        assert_eq!((found.verdict, found.files["a.rs"].uncovered.clone()), (Verdict::Fail, vec![[1, 2]]));
    }
}
