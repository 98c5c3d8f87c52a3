//! How many tests ran, as test runners print it for people: node, jest, vitest and mocha in their last lines, go one line a test.

use std::sync::LazyLock;

use nofx_shared::gates::TestCount;
use regex::Regex;

/// A line of counts: node's `# pass 3`, jest's `Tests: 1 failed, 2 passed, 3 total`, vitest's `Tests  2 passed (2)`, mocha's `3 passing (5ms)`.
static NODE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^(?:#|\u{2139}) (pass|fail|skipped) (\d+)$").expect("a regular expression"));
static TESTS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\s*Tests:?\s+(\d.*)$").expect("a regular expression"));
static PART: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(\d+) (passed|failed|skipped|todo|pending)").expect("a regular expression"));
static MOCHA: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\s{2}(\d+) (passing|failing|pending)\b").expect("a regular expression"));
static GO: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^--- (PASS|FAIL|SKIP): \S+ \(").expect("a regular expression"));
static COLOUR: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\x1b\[[0-9;]*m").expect("a regular expression"));

/// The counts of all suites; none when no line has any.
pub(super) fn tests(output: &str) -> Option<TestCount> {
    let mut found: Option<TestCount> = None;
    let mut add = |what: &str, number: u64| {
        let tests = found.get_or_insert_default();
        match what {
            "pass" | "passed" | "passing" | "PASS" => tests.passed = tests.passed.saturating_add(number),
            "fail" | "failed" | "failing" | "FAIL" => tests.failed = tests.failed.saturating_add(number),
            _ => tests.skipped = tests.skipped.saturating_add(number),
        }
    };
    for line in output.lines() {
        let line = COLOUR.replace_all(line, "");
        let number = |text: &str| text.parse::<u64>().unwrap_or_default();
        if let Some(at) = NODE.captures(&line) {
            add(&at[1], number(&at[2]));
        } else if let Some(at) = MOCHA.captures(&line) {
            add(&at[2], number(&at[1]));
        } else if let Some(at) = GO.captures(&line) {
            add(&at[1], 1);
        } else if let Some(at) = TESTS.captures(&line) {
            PART.captures_iter(&at[1]).for_each(|part| add(&part[2], number(&part[1])));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use nofx_shared::gates::TestCount;

    use super::tests;

    fn counted(output: &str) -> Option<(u64, u64, u64)> {
        tests(output).map(|TestCount { passed, failed, skipped }| (passed, failed, skipped))
    }

    #[test]
    fn the_counts_of_runners_are_read() {
        for (output, expected) in [
            ("# tests 3\n# suites 0\n# pass 2\n# fail 1\n# cancelled 0\n# skipped 0\n", (2, 1, 0)),
            ("\u{2139} tests 2\n\u{2139} pass 2\n\u{2139} fail 0\n", (2, 0, 0)),
            ("Test Suites: 1 passed, 1 total\nTests:       1 failed, 2 skipped, 3 passed, 6 total\n", (3, 1, 2)),
            ("\u{1b}[2m      Tests \u{1b}[22m \u{1b}[32m4 passed\u{1b}[39m (4)\n", (4, 0, 0)),
            ("\n  3 passing (5ms)\n  1 pending\n  1 failing\n", (3, 1, 1)),
            (
                "=== RUN   TestA\n--- PASS: TestA (0.00s)\n    --- PASS: TestA/sub (0.00s)\n--- SKIP: TestB (0.00s)\nok  \tx\t0.1s\n",
                (1, 0, 1),
            ),
        ] {
            assert_eq!(counted(output), Some(expected), "{output}");
        }
    }

    #[test]
    fn what_counts_nothing_has_no_count() {
        for output in ["", "all good\n", "ok  \tx\t0.1s [no tests to run]\n", "Test Suites: 1 passed\n", "Tests: none\n", "# passing 3\n"] {
            assert_eq!(counted(output), None, "{output}");
        }
        assert_eq!(counted("# pass 0\n# fail 0\n"), Some((0, 0, 0)), "none ran");
    }
}
