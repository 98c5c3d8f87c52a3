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

/// A finding without its place. Its message is cut once it was masked: half a secret would no longer be found.
pub(super) fn finding(severity: Severity, message: &str) -> Finding {
    Finding { file: None, line: None, column: None, rule: None, severity, message: message.trim().to_owned() }
}

/// A number that counts from 1.
pub(super) fn place(value: &serde_json::Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0)
}
