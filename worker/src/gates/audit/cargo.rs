//! `cargo-audit audit --json`: one report, exit code 1 when it found something.

use nofx_shared::gates::Severity;

use super::auditor::{Lock, Run};
use super::report::{Advisory, Report, list, text};

pub(super) fn runs(lock: &Lock<'_>) -> Result<Vec<Run>, String> {
    Ok(vec![Run::of([(lock.file, lock.text)])])
}

pub(super) fn read(report: &Report<'_>) -> Result<Vec<Advisory>, String> {
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
    use super::read;

    fn of(stdout: &str, exit_code: i32) -> Result<Vec<String>, String> {
        read(&Report { stdout, exit_code })
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
}
