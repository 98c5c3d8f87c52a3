//! `npm audit --json` of npm 7 and later: one report, exit code 1 when it found something.

use super::report::{Advisory, Report, id_of_address, severity};

pub(super) fn read(report: &Report<'_>) -> Result<Vec<Advisory>, String> {
    let value = report.json()?;
    let packages = value["vulnerabilities"].as_object().filter(|_| value["auditReportVersion"] == 2).ok_or("not a version 2 report")?;
    let mut found = vec![];
    for (name, package) in packages {
        let sources = package["via"].as_array().ok_or_else(|| format!("{name} has no list `via`"))?;
        // A text in `via` is another package of the list, which has its own advisory.
        for via in sources.iter().filter(|via| !via.is_string()) {
            let id = id_of_address(&via["url"]).ok_or_else(|| format!("an advisory of {name} has no address"))?;
            let message = format!("{name} {}: {}", via["range"].as_str().unwrap_or_default(), via["title"].as_str().unwrap_or_default());
            found.push(Advisory::new(vec![id], severity(&via["severity"]), &message));
        }
    }
    if found.is_empty() && !packages.is_empty() {
        return Err(format!("{} packages are vulnerable and no advisory says why", packages.len()));
    }
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

    #[test]
    fn advisories_are_read_and_an_error_is_no_report() {
        let mut report = json!({"auditReportVersion": 2, "vulnerabilities": {"a": {"via": [{"title": "bad", "severity": "low", "range": "<2", "url": "https://x/GHSA-1"}]}, "b": {"via": ["a"]}}});
        assert_eq!(of(&report, 1), Ok(vec![Advisory::new(vec!["GHSA-1".to_owned()], Severity::Info, "a <2: bad")]));
        report["vulnerabilities"]["a"]["via"][0]["severity"] = json!("catastrophic");
        assert_eq!(of(&report, 1).map(|found| found[0].severity), Ok(Severity::Error), "what is not known is not harmless");
        assert_eq!(of(&json!({"auditReportVersion": 2, "vulnerabilities": {}}), 0), Ok(vec![]));
        for (report, code) in [
            (json!({"error": {"code": "ENOTFOUND"}}), 1),
            (json!({"auditReportVersion": 2, "vulnerabilities": {}}), 1),
            (json!({"auditReportVersion": 2, "vulnerabilities": {"a": {}}}), 0),
            (json!({"auditReportVersion": 2, "vulnerabilities": {"b": {"via": ["a"]}}}), 0),
            (json!({"auditReportVersion": 2, "vulnerabilities": {"a": {"via": [{"title": "bad"}]}}}), 1),
            (json!({"auditReportVersion": 3, "vulnerabilities": {}}), 0),
            (json!([]), 0),
        ] {
            assert!(of(&report, code).is_err(), "{report}");
        }
    }
}
