//! The formats, the reader of each, and how a format is recognised.

use schemars::JsonSchema;
use serde::Deserialize;

use super::reading::{Reading, ToolOutput};
use super::{cargo, counts, eslint, junit, lines, pytest, ruff, sarif, tsc};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::gates) enum Format {
    /// `--message-format=json` of cargo, with what its tests print.
    Cargo,
    Eslint,
    /// JUnit XML, which most test runners write.
    Junit,
    /// `file:line:column: message`, as compilers print.
    Lines,
    Pytest,
    Ruff,
    Sarif,
    Tsc,
    /// No findings: the exit code decides. Counts of tests are read as node, jest, vitest, mocha and go print them.
    Text,
}

impl Format {
    /// Its name in plans.
    pub(in crate::gates) fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

type Reader = fn(&ToolOutput<'_>) -> Result<Reading, String>;

/// The list of formats, in the order in which they are recognised.
const READERS: &[(Format, Reader)] = &[
    (Format::Sarif, sarif::read),
    (Format::Eslint, eslint::read),
    (Format::Ruff, ruff::read),
    (Format::Junit, junit::read),
    (Format::Cargo, cargo::read),
    (Format::Tsc, tsc::read),
    (Format::Pytest, pytest::read),
    (Format::Lines, lines::read),
];

pub(in crate::gates) fn read(format: Format, output: &ToolOutput<'_>) -> Result<Reading, String> {
    match READERS.iter().find(|(one, _)| *one == format) {
        Some((_, reader)) => reader(output),
        None => Ok(Reading { findings: vec![], tests: counts::tests(output.output) }),
    }
}

/// The format of an output, by its content.
pub(in crate::gates) fn recognise(output: &ToolOutput<'_>) -> Option<Format> {
    let has_results = |reading: &Reading| !reading.findings.is_empty() || reading.tests.is_some();
    let is_document = output.stdout.trim_start().starts_with(['{', '[', '<']);
    READERS
        .iter()
        // A document may have no findings; plain lines show their format only by a finding or a count of tests.
        .find(|(format, reader)| match format {
            Format::Sarif | Format::Eslint | Format::Ruff | Format::Junit => is_document && reader(output).is_ok(),
            _ => reader(output).is_ok_and(|reading| has_results(&reading)),
        })
        .map(|(format, _)| *format)
}
