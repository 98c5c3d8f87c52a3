//! Cargo: JSON messages of the compiler, one a line, and between them what the tests print.

use std::sync::LazyLock;

use nofx_shared::gates::{Finding, Severity, TestCount};
use regex::Regex;
use serde_json::Value;

use super::reading::{Reading, ToolOutput, finding, place};

static PANIC: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^thread '(.+?)'(?: \(\d+\))? panicked at (.+?):(\d+):(\d+):$").expect("a regular expression"));
static RESULT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;").expect("a regular expression"));

pub(super) fn read(output: &ToolOutput<'_>) -> Result<Reading, String> {
    let mut findings: Vec<Finding> = vec![];
    let mut tests: Option<TestCount> = None;
    let mut failed: Vec<&str> = vec![];
    let mut is_cargo = false;
    for line in output.stdout.lines() {
        if line.starts_with("{\"reason\":") {
            let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
            is_cargo = true;
            // The same code is compiled more than once: for the library and for its tests.
            if let Some(found) = compiler_message(&message).filter(|found| !findings.contains(found)) {
                findings.push(found);
            }
        } else if let Some(counts) = RESULT.captures(line) {
            let count = |n: usize| counts[n].parse::<u64>().unwrap_or_default();
            let so_far = tests.get_or_insert_default();
            (so_far.passed, so_far.failed, so_far.skipped) =
                (so_far.passed + count(1), so_far.failed + count(2), so_far.skipped + count(3));
        } else if let Some(name) = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED")) {
            failed.push(name);
        }
    }
    for name in failed {
        findings.push(
            panic_of(name, output.stdout)
                .unwrap_or_else(|| Finding { rule: Some(name.to_owned()), ..finding(Severity::Error, "the test failed") }),
        );
    }
    if is_cargo || tests.is_some() { Ok(Reading { findings, tests }) } else { Err("neither messages nor tests of cargo".to_owned()) }
}

fn compiler_message(message: &Value) -> Option<Finding> {
    let message = message.get("message").filter(|_| message["reason"] == "compiler-message")?;
    let severity = match message["level"].as_str()? {
        "error" | "error: internal compiler error" => Severity::Error,
        "warning" => Severity::Warning,
        _ => Severity::Info,
    };
    // Without a place, a message only sums up others.
    let span = message["spans"].as_array()?.iter().find(|span| span["is_primary"] == true)?;
    Some(Finding {
        file: span["file_name"].as_str().map(str::to_owned),
        line: place(&span["line_start"]),
        column: place(&span["column_start"]),
        rule: message["code"]["code"].as_str().map(str::to_owned),
        ..finding(severity, message["message"].as_str().unwrap_or_default())
    })
}

/// Where and why a test panicked.
fn panic_of(test: &str, text: &str) -> Option<Finding> {
    let mut lines = text.lines();
    loop {
        let found = PANIC.captures(lines.next()?);
        if let Some(at) = found.filter(|at| &at[1] == test) {
            return Some(Finding {
                file: Some(at[2].to_owned()),
                line: at[3].parse().ok(),
                column: at[4].parse().ok(),
                rule: Some(test.to_owned()),
                ..finding(Severity::Error, lines.next().unwrap_or_default())
            });
        }
    }
}
