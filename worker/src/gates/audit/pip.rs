//! `pip-audit --format json`: one report, exit code 1 when it found something. A package that it skipped was not audited.

use std::collections::HashSet;

use nofx_shared::gates::Severity;

use super::auditor::{Choice, Lock, PIP_PINNED, PIP_RESOLVES, Run};
use super::report::{Advisory, Report, list, text};
use crate::sbom::{Required, poetry_requirements, required};

pub(super) const RESOLVE: &str = "pip-audit --format json --progress-spinner off --requirement requirements.txt";
pub(super) const PINNED: &str = "pip-audit --format json --progress-spinner off --no-deps --disable-pip --requirement requirements.txt";

pub(super) fn requirements(lock: &Lock<'_>) -> Choice {
    match required(lock.folder, lock.text) {
        Ok(Required::Hashed(lists)) => (&PIP_PINNED, Ok(pinned(lists))),
        Ok(Required::OfIndex(found)) => {
            let requirements = ["-c constraints.txt".to_owned()].into_iter().chain(found.requirements);
            let run = Run::of([(lock.file, &lines(requirements)), ("constraints.txt", &lines(found.constraints))]);
            (&PIP_RESOLVES, Ok(vec![run]))
        }
        Err(why) => (&PIP_RESOLVES, Err(why)),
    }
}

pub(super) fn poetry_runs(lock: &Lock<'_>) -> Result<Vec<Run>, String> {
    Ok(pinned(poetry_requirements(lock.text)?))
}

fn pinned(lists: Vec<Vec<String>>) -> Vec<Run> {
    let run = |packages: Vec<String>| Run { packages: packages.clone(), ..Run::of([("requirements.txt", &lines(packages))]) };
    lists.into_iter().map(run).collect()
}

fn lines(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().map(|line| format!("{line}\n")).collect()
}

pub(super) fn read(report: &Report<'_>) -> Result<Vec<Advisory>, String> {
    let value = report.json()?;
    let mut found = vec![];
    for package in list(&value, "/dependencies")? {
        let name = text(package, "/name")?;
        if let Some(reason) = package["skip_reason"].as_str() {
            return Err(format!("{name} was skipped: {reason}"));
        }
        let version = text(package, "/version")?;
        for vulnerability in list(package, "/vulns")? {
            let message = format!("{name} {version}: {}", vulnerability["description"].as_str().unwrap_or_default());
            let aliases = vulnerability["aliases"].as_array().into_iter().flatten().filter_map(|alias| alias.as_str());
            let ids = [text(vulnerability, "/id")?].into_iter().chain(aliases).map(str::to_owned).collect();
            found.push(Advisory::new(ids, Severity::Error, &message));
        }
    }
    report.agrees(&found)?;
    Ok(found)
}

/// Refuses a report on fewer packages than were asked for; `requirements`: lines `name==version`.
pub(super) fn covers(report: &Report<'_>, requirements: &[String]) -> Result<(), String> {
    let value = report.json()?;
    let audited = list(&value, "/dependencies")?.iter().filter_map(|one| one["name"].as_str()).collect::<HashSet<_>>();
    let missing = requirements.iter().filter_map(|line| line.split("==").next()).find(|name| !audited.contains(*name));
    missing.map_or(Ok(()), |name| Err(format!("{name} was not audited")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::report::Report;
    use super::{covers, read};

    #[test]
    fn advisories_are_read_and_a_package_that_was_skipped_is_no_report() {
        let of = |report: serde_json::Value, exit_code| {
            let stdout = report.to_string();
            read(&Report { stdout: &stdout, exit_code }).map(|found| found.into_iter().map(|one| one.ids.join(",")).collect::<Vec<_>>())
        };
        let package = |vulnerabilities| json!({"dependencies": [{"name": "a", "version": "1", "vulns": vulnerabilities}], "fixes": []});
        let found = package(json!([{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2"], "description": "bad"}]));
        assert_eq!(of(found, 1), Ok(vec!["PYSEC-1,CVE-1".to_owned()]));
        assert_eq!(of(package(json!([])), 0), Ok(vec![]));
        for (report, code) in [
            (package(json!([])), 1),
            (package(json!(null)), 0),
            (package(json!([{"description": "bad"}])), 1),
            (json!({"dependencies": [{"name": "a", "skip_reason": "not on the index"}]}), 0),
            (json!({"dependencies": [{"name": "a", "version": "1", "vulns": [], "skip_reason": "not on the index"}]}), 0),
            (json!({"dependencies": [{"name": "a"}]}), 0),
            (json!({}), 0),
        ] {
            assert!(of(report.clone(), code).is_err(), "{report}");
        }
    }

    #[test]
    fn all_that_was_asked_for_must_be_in_the_report() {
        let of = |stdout: &str, asked: &[&str]| {
            covers(&Report { stdout, exit_code: 0 }, &asked.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>())
        };
        let report = r#"{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}"#;
        assert_eq!(of(report, &["a==1"]), Ok(()));
        assert_eq!(of(report, &["a==1", "b==1"]), Err("b was not audited".to_owned()));
        assert!(of(r#"{"dependencies": []}"#, &["a==1"]).is_err());
    }
}
