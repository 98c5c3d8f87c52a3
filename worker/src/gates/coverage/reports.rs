//! Finds and reads the reports, with the digest of each for the evidence.

use nofx_sandbox::{Files, Kind};
use nofx_shared::crypto::digest;
use nofx_shared::engine::Failure;
use nofx_shared::gates::{Input, ReportFile};

use super::formats;
use super::report::Report;
use crate::workspace::{Folder, file_name};

/// Where tools write their reports by default.
pub(super) const DEFAULT_REPORTS: &[&str] = &[
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
pub(super) fn in_the_usual_places(workspace: &Files) -> Vec<&'static str> {
    DEFAULT_REPORTS.iter().copied().filter(|name| workspace.kind(name) == Some(Kind::File)).collect()
}

/// The reports of the inputs, or those at the default paths; the inner error says why there is no verdict.
pub(super) async fn read_reports(workspace: &Folder, named: Option<&[String]>) -> Result<Result<Reports, String>, Failure> {
    let names: Vec<&str> = match named {
        Some(names) => names.iter().map(String::as_str).collect(),
        None => workspace.off_loop(in_the_usual_places).await?,
    };
    if names.is_empty() {
        return Ok(Err(format!("no coverage report in the usual places ({}); set `reports`", DEFAULT_REPORTS.join(", "))));
    }
    let (mut reports, mut inputs, mut files) = (vec![], vec![], vec![]);
    for name in names {
        let bytes = match workspace.read(name, REPORT_BYTES).await? {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(Err(format!("could not read the report {name}: no such file"))),
            Err(why) => return Ok(Err(format!("could not read the report: {name} {why}"))),
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

/// Removes a report. What cannot be removed, such as a folder, is no report either.
pub(super) async fn remove_report(workspace: &Folder, name: &str) -> Result<(), Failure> {
    let path = file_name(name)?;
    workspace.off_loop(move |files| drop(files.remove(path))).await
}
