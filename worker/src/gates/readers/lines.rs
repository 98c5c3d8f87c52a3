//! `file:line[:column]: [severity:] message [rule]`, as mypy, go, gcc and many others print.

use std::sync::LazyLock;

use nofx_shared::gates::{Finding, Severity};
use regex::Regex;

use super::reading::{Reading, ToolOutput, finding};

static LINE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^([^\s:][^:]*?\.\w+):(\d+)(?::(\d+))?:\s+(?:(fatal error|error|warning|note|info):\s+)?(.+?)(?:\s+[\[(]([\w-]+)[\])])?$")
        .expect("a regular expression")
});

pub(super) fn read(output: &ToolOutput<'_>) -> Result<Reading, String> {
    let findings = output.output.lines().filter_map(|line| LINE.captures(line)).map(|at| {
        let severity = match at.get(4).map(|word| word.as_str()) {
            Some("warning") => Severity::Warning,
            Some("note" | "info") => Severity::Info,
            _ => Severity::Error,
        };
        Finding {
            file: Some(at[1].to_owned()),
            line: at[2].parse().ok(),
            column: at.get(3).and_then(|column| column.as_str().parse().ok()),
            rule: at.get(6).map(|rule| rule.as_str().to_owned()),
            ..finding(severity, &at[5])
        }
    });
    Ok(Reading { findings: findings.collect(), tests: None })
}
