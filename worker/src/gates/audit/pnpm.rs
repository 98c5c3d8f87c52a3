//! `pnpm audit --json`: one report, exit code 1 when it found something; also what yarn 2 and 3 print. The report is the older one of npm's
//! registry, which pnpm 11 and later write themselves.

use serde_json::Value;

use super::auditor::{Lock, Run};
use super::report::{Advisory, Report, id_of_address, lists_what_it_counts, severity, text};

pub(super) fn runs(lock: &Lock<'_>) -> Result<Vec<Run>, String> {
    // The lock file has the dependencies of all projects. Without a workspace of its own, pnpm would look for one in the folders above.
    let workspace = "packages:\n  - .\n";
    Ok(vec![Run::of([(lock.file, lock.text), ("package.json", "{}"), ("pnpm-workspace.yaml", workspace)])])
}

pub(super) fn read(report: &Report<'_>) -> Result<Vec<Advisory>, String> {
    of_value(&report.json()?, report)
}

pub(super) fn of_value(value: &Value, report: &Report<'_>) -> Result<Vec<Advisory>, String> {
    let advisories = value["advisories"].as_object().ok_or("there are no `advisories`")?;
    let mut found = vec![];
    for (key, advisory) in advisories {
        let name = text(advisory, "/module_name")?;
        let mut ids: Vec<String> = advisory["github_advisory_id"].as_str().map(str::to_owned).into_iter().collect();
        ids.extend(id_of_address(&advisory["url"]).filter(|id| !ids.contains(id)));
        ids.extend(advisory["cves"].as_array().into_iter().flatten().filter_map(|id| id.as_str().map(str::to_owned)));
        ids.push(key.clone());
        let message = format!("{name} {}: {}", advisory["vulnerable_versions"].as_str().unwrap_or_default(), text(advisory, "/title")?);
        found.push(Advisory::new(ids, severity(&advisory["severity"]), &message));
    }
    // What settings hide (`auditConfig`, `auditLevel`) is counted all the same. Older pnpm and yarn count an advisory
    // once for each path to its package. Nothing says so in the report, so that theirs is refused as well when there are several paths.
    lists_what_it_counts(&value["metadata"]["vulnerabilities"], |severity, counted| {
        advisories.values().filter(|advisory| advisory["severity"] == *severity).count() >= counted
    })?;
    report.agrees(&found)?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use nofx_shared::gates::Severity;

    use super::super::report::{Advisory, Report};
    use super::read;

    /// pnpm 12.21, without the fields that are not read.
    const VULNERABLE: &str = r#"{"advisories": {"1106913": {"findings": [{"version": "4.17.11", "paths": [".>lodash"], "dev": false}],
        "id": 1106913, "title": "Prototype Pollution in lodash", "module_name": "lodash", "vulnerable_versions": "<4.17.12",
        "patched_versions": null, "severity": "critical", "cwe": "CWE-1321", "github_advisory_id": "GHSA-jf85-cpxp-28gg",
        "url": "https://github.com/advisories/GHSA-jf85-cpxp-28gg"}},
        "metadata": {"vulnerabilities": {"info": 0, "low": 0, "moderate": 0, "high": 0, "critical": 1}, "dependencies": 1}}"#;
    const CLEAN: &str = r#"{"actions": [], "advisories": {}, "muted": [],
        "metadata": {"vulnerabilities": {"info": 0, "low": 0, "moderate": 0, "high": 0, "critical": 0}, "dependencies": 1}}"#;

    fn of(stdout: &str, exit_code: i32) -> Result<Vec<Advisory>, String> {
        read(&Report { stdout, exit_code })
    }

    #[test]
    fn advisories_are_read() {
        let ids = ["GHSA-jf85-cpxp-28gg", "1106913"].map(str::to_owned).to_vec();
        assert_eq!(of(VULNERABLE, 1), Ok(vec![Advisory::new(ids, Severity::Error, "lodash <4.17.12: Prototype Pollution in lodash")]));
        assert_eq!(of(CLEAN, 0), Ok(vec![]));
    }

    #[test]
    fn an_advisory_that_the_repository_hides_is_not_overlooked() {
        let visible = VULNERABLE.replace("\"severity\": \"critical\"", "\"severity\": \"low\"");
        let counted = |low: u32, critical: u32| {
            visible.replace("\"low\": 0", &format!("\"low\": {low}")).replace("\"critical\": 1", &format!("\"critical\": {critical}"))
        };
        assert_eq!(of(&counted(1, 0), 1).map(|found| found.len()), Ok(1));
        for (low, critical) in [(1, 1), (2, 0), (0, 1)] {
            let refused = of(&counted(low, critical), 1).expect_err("one is hidden");
            assert!(refused.contains("counted and not listed"), "{refused}");
        }
    }

    #[test]
    fn what_is_no_whole_report_is_inconclusive() {
        for (stdout, code) in [
            ("", 1),
            ("{\"error\": {\"code\": \"ERR_PNPM_AUDIT_ENDPOINT_NOT_EXISTS\", \"message\": \"…\"}}", 1),
            (CLEAN, 1),
            (&*CLEAN.replace("\"high\": 0", "\"high\": 2"), 0),
            (&*CLEAN.replace("\"high\": 0", "\"high\": \"2\""), 0),
            (&*CLEAN.replace("\"high\": 0", "\"high\": -1"), 0),
            (&*CLEAN.replace("\"advisories\": {}", "\"advisories\": []"), 0),
            ("{\"advisories\": {}}", 0),
            (&*VULNERABLE.replace("\"module_name\": \"lodash\"", "\"module_name\": 5"), 1),
            (&VULNERABLE[..VULNERABLE.len() - 9], 1),
        ] {
            assert!(of(stdout, code).is_err(), "{stdout}");
        }
    }
}
