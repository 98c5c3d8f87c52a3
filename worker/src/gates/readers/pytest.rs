//! Pytest's output: the lines of its short summary and the counts at its end.

use std::sync::LazyLock;

use nofx_shared::gates::{Finding, Severity, TestCount};
use regex::Regex;

use super::reading::{Reading, ToolOutput, finding};

static COUNTS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:=+ )?((?:\d+ (?:passed|failed|errors?|skipped|xfailed|xpassed|deselected|warnings?|rerun)(?:, )?)+) in [\d.]+s")
        .expect("a regular expression")
});

pub(super) fn read(output: &ToolOutput<'_>) -> Result<Reading, String> {
    let counts = output.stdout.lines().rev().find_map(|line| COUNTS.captures(line)).ok_or("no line of counts")?;
    let mut tests = TestCount::default();
    for part in counts[1].split(", ") {
        let Some((number, what)) = part.split_once(' ') else { continue };
        let number = number.parse::<u64>().unwrap_or_default();
        match what {
            "passed" | "xpassed" | "xfailed" => tests.passed += number,
            "failed" | "error" | "errors" => tests.failed += number,
            "skipped" => tests.skipped += number,
            _ => {}
        }
    }
    let failed = output.stdout.lines().filter_map(|line| line.strip_prefix("FAILED ").or_else(|| line.strip_prefix("ERROR ")));
    let findings = failed.map(|line| {
        let (test, why) = line.split_once(" - ").unwrap_or((line, "the test could not be run"));
        let file = test.split("::").next().unwrap_or(test).to_owned();
        Finding { file: Some(file), rule: Some(test.to_owned()), ..finding(Severity::Error, why) }
    });
    Ok(Reading { findings: findings.collect(), tests: Some(tests) })
}
