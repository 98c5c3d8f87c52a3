//! `uv audit --output-format json` (uv 0.12 and later): one report, exit code 1 when it found a vulnerability. It calls its format a
//! preview, so that each field is checked. It gives no severities.

use nofx_shared::gates::Severity;

use super::auditor::{Lock, Run};
use super::report::{Advisory, Report, list, text};
use crate::sbom::uv_project;

pub(super) fn runs(lock: &Lock<'_>) -> Result<Vec<Run>, String> {
    // uv audits all that is locked, whatever the project itself requires. Without a workspace of its own it would look for one in the
    // folders above.
    let project = format!("[project]\nname = \"{}\"\nversion = \"0\"\n\n[tool.uv.workspace]\nmembers = []\n", uv_project(lock.text)?);
    Ok(vec![Run::of([(lock.file, lock.text), ("pyproject.toml", &project)])])
}

pub(super) fn read(report: &Report<'_>) -> Result<Vec<Advisory>, String> {
    let value = report.json()?;
    let count = |name: &str| value["summary"][name].as_u64().ok_or_else(|| format!("there is no count at /summary/{name}"));
    count("audited_packages")?;
    let mut found = vec![];
    for vulnerability in list(&value, "/vulnerabilities")? {
        let (name, version) = (text(vulnerability, "/dependency/name")?, text(vulnerability, "/dependency/version")?);
        let about = vulnerability["summary"].as_str().or_else(|| vulnerability["description"].as_str()).unwrap_or_default();
        let aliases = vulnerability["aliases"].as_array().into_iter().flatten().filter_map(|alias| alias.as_str());
        let ids = [text(vulnerability, "/id")?].into_iter().chain(aliases).map(str::to_owned).collect();
        found.push(Advisory::new(ids, Severity::Error, &format!("{name} {version}: {about}")));
    }
    if count("vulnerabilities")? != found.len() as u64 {
        return Err("the report does not list as many vulnerabilities as it counts".to_owned());
    }
    report.agrees(&found)?;
    // Projects that their index has archived or put under quarantine: no vulnerability is known, but someone should look.
    for status in list(&value, "/adverse_statuses")? {
        let (name, status_name) = (text(status, "/name")?, text(status, "/status")?);
        let about = status["reason"].as_str().unwrap_or_default();
        let severity = if status_name == "quarantined" { Severity::Error } else { Severity::Info };
        found.push(Advisory::new(vec![format!("{name}:{status_name}")], severity, &format!("{name} is {status_name} {about}")));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use nofx_shared::gates::Severity;
    use serde_json::{Value, json};

    use super::super::report::{Advisory, Report};
    use super::read;

    fn of(report: &Value, exit_code: i32) -> Result<Vec<Advisory>, String> {
        read(&Report { stdout: &report.to_string(), exit_code })
    }

    /// uv 0.13.9.
    fn report() -> Value {
        json!({
            "schema": {"version": "preview"},
            "summary": {"audited_packages": 1, "vulnerabilities": 1, "adverse_statuses": 0},
            "vulnerabilities": [{
                "dependency": {"name": "requests", "version": "2.30.0"}, "id": "PYSEC-2023-74", "display_id": "PYSEC-2023-74",
                "aliases": ["CVE-2023-32681", "GHSA-j8r2-6x86-q33q"], "summary": "Leak of Proxy-Authorization",
                "description": "Requests leaks headers.", "link": "https://h.example", "fix_versions": ["2.31.0"],
                "published": "2023-05-26T18:15:00Z", "modified": "2023-06-05T01:13:00Z",
            }],
            "adverse_statuses": [],
        })
    }

    #[test]
    fn advisories_are_read_with_all_their_names() {
        let ids = ["PYSEC-2023-74", "CVE-2023-32681", "GHSA-j8r2-6x86-q33q"].map(str::to_owned).to_vec();
        assert_eq!(of(&report(), 1), Ok(vec![Advisory::new(ids, Severity::Error, "requests 2.30.0: Leak of Proxy-Authorization")]));
        let clean = json!({"schema": {"version": "preview"}, "summary": {"audited_packages": 1, "vulnerabilities": 0, "adverse_statuses": 1},
            "vulnerabilities": [], "adverse_statuses": [{"name": "old", "status": "quarantined", "reason": null}]});
        assert_eq!(
            of(&clean, 0).map(|found| (found[0].ids[0].clone(), found[0].severity)),
            Ok(("old:quarantined".to_owned(), Severity::Error))
        );
    }

    #[test]
    fn a_format_that_changed_is_inconclusive() {
        for (pointer, value) in [
            ("/vulnerabilities", json!({})),
            ("/vulnerabilities", json!([])),
            ("/summary", json!({})),
            ("/summary/vulnerabilities", json!("1")),
            ("/summary/audited_packages", json!(null)),
            ("/vulnerabilities/0/id", json!(null)),
            ("/vulnerabilities/0/dependency", json!("requests")),
            ("/adverse_statuses", json!(null)),
        ] {
            let mut report = report();
            *report.pointer_mut(pointer).expect("a field") = value;
            assert!(of(&report, 1).is_err(), "{pointer}");
        }
        let mut empty = report();
        (empty["vulnerabilities"], empty["summary"]["vulnerabilities"]) = (json!([]), json!(0));
        assert_eq!((of(&empty, 0), of(&empty, 2).is_err()), (Ok(vec![]), true));
    }
}
