//! `npm audit --json` of npm 7 and later: one report, exit code 1 when it found something.

use super::auditor::{Lock, Run};
use super::report::{Advisory, Report, id_of_address, lists_what_it_counts, severity};

/// Without `--include`, `NODE_ENV=production` in the environment would leave out what tests and builds need.
pub(super) const COMMAND: &str = "npm audit --json --package-lock-only --include=dev --include=optional --include=peer";

pub(super) fn runs(lock: &Lock<'_>) -> Result<Vec<Run>, String> {
    // The lock file has the dependencies of the project and its workspaces. Without a package.json npm would look for one in the folders above.
    Ok(vec![Run::of([(lock.file, lock.text), ("package.json", "{}")])])
}

pub(super) fn read(report: &Report<'_>) -> Result<Vec<Advisory>, String> {
    let value = report.json()?;
    let packages = value["vulnerabilities"].as_object().filter(|_| value["auditReportVersion"] == 2).ok_or("not a version 2 report")?;
    let mut found = vec![];
    for (name, package) in packages {
        let sources = package["via"].as_array().ok_or_else(|| format!("{name} has no list `via`"))?;
        // A text in `via` is another package of the list, which has its own advisory.
        if let Some(missing) = sources.iter().filter_map(|via| via.as_str()).find(|via| !packages.contains_key(*via)) {
            return Err(format!("{name} is vulnerable because of {missing}, which is not listed"));
        }
        for via in sources.iter().filter(|via| !via.is_string()) {
            let id = id_of_address(&via["url"]).ok_or_else(|| format!("an advisory of {name} has no address"))?;
            let message = format!("{name} {}: {}", via["range"].as_str().unwrap_or_default(), via["title"].as_str().unwrap_or_default());
            found.push(Advisory::new(vec![id], severity(&via["severity"]), &message));
        }
    }
    if found.is_empty() && !packages.is_empty() {
        return Err(format!("{} packages are vulnerable and no advisory says why", packages.len()));
    }
    // The counts are of packages.
    lists_what_it_counts(&value["metadata"]["vulnerabilities"], |severity, counted| {
        let listed = packages.values().filter(|package| severity == "total" || package["severity"] == *severity).count();
        listed >= counted
    })?;
    report.agrees(&found)?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use nofx_shared::gates::Severity;
    use serde_json::json;

    use super::super::report::{Advisory, Report};
    use super::read;

    fn of(report: &serde_json::Value, exit_code: i32) -> Result<Vec<Advisory>, String> {
        read(&Report { stdout: &report.to_string(), exit_code })
    }

    /// A package with one advisory and one that depends on it, as npm 11 reports them, without the fields that are not read.
    fn vulnerable() -> serde_json::Value {
        json!({
            "auditReportVersion": 2,
            "vulnerabilities": {
                "a": {"severity": "low", "via": [{"title": "bad", "severity": "low", "range": "<2", "url": "https://x/GHSA-1"}]},
                "b": {"severity": "low", "via": ["a"]},
            },
            "metadata": {"vulnerabilities": {"info": 0, "low": 2, "moderate": 0, "high": 0, "critical": 0, "total": 2}},
        })
    }

    fn of_packages(packages: &serde_json::Value) -> serde_json::Value {
        json!({"auditReportVersion": 2, "vulnerabilities": packages, "metadata": {"vulnerabilities": {"total": 0}}})
    }

    #[test]
    fn advisories_are_read_and_an_error_is_no_report() {
        let mut report = vulnerable();
        assert_eq!(of(&report, 1), Ok(vec![Advisory::new(vec!["GHSA-1".to_owned()], Severity::Info, "a <2: bad")]));
        report["vulnerabilities"]["a"]["via"][0]["severity"] = json!("catastrophic");
        assert_eq!(of(&report, 1).map(|found| found[0].severity), Ok(Severity::Error), "what is not known is not harmless");
        assert_eq!(of(&of_packages(&json!({})), 0), Ok(vec![]));
        for (report, code) in [
            (json!({"error": {"code": "ENOTFOUND"}}), 1),
            (of_packages(&json!({})), 1),
            (of_packages(&json!({"a": {}})), 0),
            (of_packages(&json!({"b": {"via": ["b"]}})), 0),
            (of_packages(&json!({"a": {"via": [{"title": "bad"}]}})), 1),
            (json!({"auditReportVersion": 2, "vulnerabilities": {}}), 0),
            (json!({"auditReportVersion": 3, "vulnerabilities": {}, "metadata": {"vulnerabilities": {}}}), 0),
            (json!([]), 0),
        ] {
            assert!(of(&report, code).is_err(), "{report}");
        }
    }

    #[test]
    fn what_is_counted_or_named_is_listed() {
        for (pointer, value, why) in [
            ("/metadata/vulnerabilities/critical", json!(1), "not listed (critical: 1)"),
            ("/metadata/vulnerabilities/low", json!(3), "not listed (low: 3)"),
            ("/metadata/vulnerabilities/total", json!(3), "not listed (total: 3)"),
            ("/vulnerabilities/b/via/0", json!("c"), "because of c, which is not listed"),
        ] {
            let mut report = vulnerable();
            *report.pointer_mut(pointer).expect("there") = value;
            let refused = of(&report, 1).expect_err(pointer);
            assert!(refused.contains(why), "{refused}");
        }
    }
}
