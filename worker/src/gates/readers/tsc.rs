//! The TypeScript compiler without colours: `file(line,column): error TS1234: message`.

use std::sync::LazyLock;

use nofx_shared::gates::{Finding, Severity};
use regex::Regex;

use super::reading::{Reading, ToolOutput, finding};

static LINE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(.+?)\((\d+),(\d+)\): (error|warning|message) (TS\d+): (.*)$").expect("a regular expression"));
/// A fault of the project itself: `error TS5058: …`
static WHOLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^error (TS\d+): (.*)$").expect("a regular expression"));

pub(super) fn read(output: &ToolOutput<'_>) -> Result<Reading, String> {
    let mut findings = vec![];
    for line in output.stdout.lines() {
        if let Some(at) = LINE.captures(line) {
            let severity = match &at[4] {
                "error" => Severity::Error,
                "warning" => Severity::Warning,
                _ => Severity::Info,
            };
            findings.push(Finding {
                file: Some(at[1].to_owned()),
                line: at[2].parse().ok(),
                column: at[3].parse().ok(),
                rule: Some(at[5].to_owned()),
                ..finding(severity, &at[6])
            });
        } else if let Some(at) = WHOLE.captures(line) {
            findings.push(Finding { rule: Some(at[1].to_owned()), ..finding(Severity::Error, &at[2]) });
        }
    }
    Ok(Reading { findings, tests: None })
}
