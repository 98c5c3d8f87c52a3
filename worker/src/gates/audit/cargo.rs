//! `cargo-audit audit --json`: one report, exit code 1 when it found something. It fetches its database, unless the operator has one.

use nofx_shared::gates::Severity;

use super::auditor::{Lock, Run};
use super::report::{Advisory, Report, list, text};

/// With the operator's database, whose path is in the environment (`private::environment`). Its age is not checked by the tool: it fetches
/// nothing, and need not be a clone.
pub(super) const OFFLINE: &str = "cargo-audit audit --json --file Cargo.lock --db \"$NOFX_ADVISORY_DB\" --no-fetch";

pub(super) fn runs(lock: &Lock<'_>) -> Result<Vec<Run>, String> {
    Ok(vec![Run::of([(lock.file, lock.text)])])
}

pub(super) fn fetched(report: &Report<'_>) -> Result<Vec<Advisory>, String> {
    read(report, "cargo-audit needs the network to fetch the database of advisories; the operator can set NOFX_ADVISORY_DB")
}

pub(super) fn offline(report: &Report<'_>) -> Result<Vec<Advisory>, String> {
    read(report, "the folder that NOFX_ADVISORY_DB names is no database of advisories that cargo-audit can read")
}

/// `no_data`: why nothing was printed.
fn read(report: &Report<'_>, no_data: &str) -> Result<Vec<Advisory>, String> {
    // What kept it from starting is on standard error only.
    if report.stdout.trim().is_empty() {
        return Err(format!("no report: {no_data}"));
    }
    let value = report.json()?;
    // Without advisories nothing was checked.
    let known = value["database"]["advisory-count"].as_u64().unwrap_or_default();
    if known == 0 {
        return Err("no advisory database".to_owned());
    }
    let mut found = vec![];
    for entry in list(&value, "/vulnerabilities/list")? {
        let message =
            format!("{} {}: {}", text(entry, "/package/name")?, text(entry, "/package/version")?, text(entry, "/advisory/title")?);
        let aliases = entry["advisory"]["aliases"].as_array().into_iter().flatten().filter_map(|alias| alias.as_str());
        let ids = [text(entry, "/advisory/id")?].into_iter().chain(aliases).map(str::to_owned).collect();
        found.push(Advisory::new(ids, Severity::Error, &message));
    }
    report.agrees(&found)?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::report::Report;
    use super::{fetched, offline};

    fn of(stdout: &str, exit_code: i32) -> Result<Vec<String>, String> {
        fetched(&Report { stdout, exit_code })
            .map(|found| found.into_iter().map(|one| format!("{} {}", one.ids.join(","), one.message)).collect())
    }

    #[test]
    fn advisories_are_read_and_no_database_is_no_report() {
        let bad = r#"{"database": {"advisory-count": 9}, "vulnerabilities": {"list": [{"advisory": {"id": "RUSTSEC-1", "title": "bad", "aliases": ["CVE-1"]}, "package": {"name": "a", "version": "1"}}]}}"#;
        assert_eq!(of(bad, 1), Ok(vec!["RUSTSEC-1,CVE-1 a 1: bad".to_owned()]));
        let none = r#"{"database": {"advisory-count": 9}, "vulnerabilities": {"list": []}}"#;
        assert_eq!(of(none, 0), Ok(vec![]));
        assert!(of(none, 2).is_err() && of(&none.replace('9', "0"), 0).is_err() && of("error: no such command", 101).is_err());
        assert!(of(&bad.replace("\"id\": \"RUSTSEC-1\",", ""), 1).is_err(), "an advisory without a name cannot be accepted");
    }

    #[test]
    fn who_has_no_data_reads_what_to_do() {
        for (stdout, exit_code) in [("", 1), ("\n", 0)] {
            assert!(of(stdout, exit_code).is_err_and(|why| why.contains("needs the network") && why.contains("NOFX_ADVISORY_DB")));
            let offline = offline(&Report { stdout, exit_code });
            assert!(offline.is_err_and(|why| why.contains("that NOFX_ADVISORY_DB names is no database")));
        }
    }
}
