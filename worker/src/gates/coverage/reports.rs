//! Finds and reads the reports, with the digest of each for the evidence.

use std::path::Path;

use nofx_shared::crypto::digest;
use nofx_shared::engine::Failure;
use nofx_shared::gates::{Input, ReportFile};

use super::formats;
use super::report::Report;
use crate::workspace::file_below;

/// Where tools write their reports by default.
const DEFAULT_REPORTS: &[&str] = &[
    "lcov.info",
    "coverage/lcov.info",
    "coverage.xml",
    "cobertura.xml",
    "coverage/cobertura-coverage.xml",
    "coverage/clover.xml",
    "coverage/coverage-final.json",
    "coverage-final.json",
    "target/llvm-cov/lcov.info",
    "target/llvm-cov.json",
    "target/site/jacoco/jacoco.xml",
    "build/reports/jacoco/test/jacocoTestReport.xml",
];
/// A larger report is a mistake.
const REPORT_BYTES: u64 = 256 << 20;

pub(super) type Reports = (Vec<Report>, Vec<Input>, Vec<ReportFile>);

/// The names of the reports that are at the default paths.
pub(super) fn in_the_usual_places(workspace: &Path) -> Vec<&'static str> {
    DEFAULT_REPORTS.iter().copied().filter(|name| workspace.join(name).is_file()).collect()
}

/// The reports of the inputs, or those at the default paths; the inner error says why there is no verdict.
pub(super) fn read_reports(workspace: &Path, named: Option<&[String]>) -> Result<Result<Reports, String>, Failure> {
    let names: Vec<&str> = match named {
        Some(names) => names.iter().map(String::as_str).collect(),
        None => in_the_usual_places(workspace),
    };
    if names.is_empty() {
        return Ok(Err(format!("no coverage report in the usual places ({}); set `reports`", DEFAULT_REPORTS.join(", "))));
    }
    let (mut reports, mut inputs, mut files) = (vec![], vec![], vec![]);
    for name in names {
        let path = file_below(workspace, name)?;
        let size = std::fs::metadata(&path).map_or(0, |meta| meta.len());
        if size > REPORT_BYTES {
            return Ok(Err(format!("the report {name} is {size} bytes, the limit is {REPORT_BYTES}")));
        }
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => return Ok(Err(format!("could not read the report {name}: {error}"))),
        };
        let digest = digest(&bytes);
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(_) => return Ok(Err(format!("the report {name} is not UTF-8"))),
        };
        match formats::read(&text) {
            Ok((format, report)) => {
                files.push(ReportFile { path: name.to_owned(), format: format.to_owned(), digest: digest.clone() });
                inputs.push(Input { name: name.to_owned(), digest });
                reports.push(report);
            }
            Err(error) => return Ok(Err(format!("could not read the report {name}: {error}"))),
        }
    }
    Ok(Ok((reports, inputs, files)))
}
