//! What a reader takes and returns.

use nofx_shared::gates::{Finding, Severity, TestCount};

/// The output of a tool, or its report.
pub(in crate::gates) struct ToolOutput<'a> {
    pub stdout: &'a str,
    /// Standard output and error, in order of arrival.
    pub output: &'a str,
}

/// The findings and tests in an output.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::gates) struct Reading {
    pub findings: Vec<Finding>,
    pub tests: Option<TestCount>,
}

/// A finding without its place.
pub(super) fn finding(severity: Severity, message: &str) -> Finding {
    let message: String = message.trim().chars().take(2000).collect();
    Finding { file: None, line: None, column: None, rule: None, severity, message }
}

/// A number that counts from 1.
pub(super) fn place(value: &serde_json::Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0)
}
