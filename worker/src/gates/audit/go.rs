//! `govulncheck -json` (protocol v1: golang.org/x/vuln/internal/govulncheck): JSON objects one after the other, exit code 0 whatever it
//! found. Findings at the level of modules, packages and functions: what is called is an error, what is only imported a warning, and what
//! is only required is for information.

use std::collections::BTreeMap;

use nofx_shared::gates::Severity;
use serde_json::Value;

use super::report::{Advisory, Report, list, text};

pub(super) fn read(report: &Report<'_>) -> Result<Vec<Advisory>, String> {
    if report.exit_code != 0 {
        return Err(format!("the tool exited with code {}", report.exit_code));
    }
    let messages = report.json_stream()?;
    let config = messages.iter().find_map(|message| message.get("config")).ok_or("there is no `config`")?;
    let version = text(config, "/protocol_version")?;
    if !version.starts_with("v1.") {
        return Err(format!("the protocol {version} is not known"));
    }
    // At another level it does not say what is imported and called.
    if config["scan_level"].as_str().is_some_and(|level| level != "symbol") {
        return Err("the report does not say which code is called".to_owned());
    }
    let details: BTreeMap<&str, &Value> = messages.iter().filter_map(|one| one["osv"]["id"].as_str().map(|id| (id, &one["osv"]))).collect();
    // The worst finding of each vulnerability in each module.
    let mut worst: BTreeMap<(&str, &str), (Severity, &str)> = BTreeMap::new();
    for finding in messages.iter().filter_map(|message| message.get("finding")) {
        let id = text(finding, "/osv")?;
        let first = list(finding, "/trace")?.first().ok_or_else(|| format!("{id} has an empty trace"))?;
        let module = text(first, "/module")?;
        let severity = match (first["function"].as_str(), first["package"].as_str()) {
            (Some(_), _) => Severity::Error,
            (None, Some(_)) => Severity::Warning,
            (None, None) => Severity::Info,
        };
        let entry = worst.entry((id, module)).or_insert_with(|| (severity, first["version"].as_str().unwrap_or_default()));
        entry.0 = entry.0.max(severity);
    }
    let advisory = |((id, module), (severity, version)): ((&str, &str), (Severity, &str))| {
        let detail = details.get(id).copied().unwrap_or(&Value::Null);
        let use_of = match severity {
            Severity::Error => "is called",
            Severity::Warning => "is imported, not called",
            Severity::Info => "is required, not imported",
        };
        let message = format!("{module} {version}: {} (the vulnerable code {use_of})", detail["summary"].as_str().unwrap_or_default());
        let aliases = detail["aliases"].as_array().into_iter().flatten().filter_map(|alias| alias.as_str());
        Advisory::new([id].into_iter().chain(aliases).map(str::to_owned).collect(), severity, &message)
    };
    Ok(worst.into_iter().map(advisory).collect())
}

#[cfg(test)]
mod tests {
    use nofx_shared::gates::Severity;

    use super::super::report::Report;
    use super::read;

    const CONFIG: &str = r#"{"config": {"protocol_version": "v1.0.0", "scanner_name": "govulncheck", "db": "https://vuln.go.dev", "scan_level": "symbol"}}
{"progress": {"message": "Scanning your code…"}}
"#;
    const OSV: &str = r#"{"osv": {"id": "GO-2021-0113", "aliases": ["CVE-2021-38561"], "summary": "Out-of-bounds read in x/text"}}
"#;

    fn finding(frame: &str) -> String {
        format!(
            r#"{{"finding": {{"osv": "GO-2021-0113", "fixed_version": "v0.3.7", "trace": [{{"module": "golang.org/x/text", "version": "v0.3.5"{frame}}}]}}}}"#
        )
    }

    fn of(stdout: &str, exit_code: i32) -> Result<Vec<(String, Severity)>, String> {
        let found = read(&Report { stdout, exit_code })?;
        Ok(found.into_iter().map(|one| (one.ids.join(","), one.severity)).collect())
    }

    #[test]
    fn the_worst_finding_of_a_vulnerability_counts_once() {
        let (required, imported) = (finding(""), finding(r#", "package": "golang.org/x/text/language""#));
        let called = finding(r#", "package": "golang.org/x/text/language", "function": "Parse""#);
        let ids = "GO-2021-0113,CVE-2021-38561".to_owned();
        for (findings, severity) in [
            (required.clone(), Severity::Info),
            (format!("{required}{imported}"), Severity::Warning),
            (format!("{called}{required}{imported}"), Severity::Error),
        ] {
            assert_eq!(of(&format!("{CONFIG}{OSV}{findings}"), 0), Ok(vec![(ids.clone(), severity)]));
        }
        assert_eq!(of(&format!("{CONFIG}{OSV}"), 0), Ok(vec![]), "advisories that were looked at are no findings");
    }

    #[test]
    fn half_a_stream_is_inconclusive() {
        let broken = finding("");
        for (stdout, code) in [
            ("", 0),
            (CONFIG, 1),
            (OSV, 0),
            (&*CONFIG.replace("v1.0.0", "v2.0.0"), 0),
            (&*CONFIG.replace("symbol", "module"), 0),
            (&*format!("{CONFIG}{}", &broken[..broken.len() - 3]), 0),
            (&*format!("{CONFIG}{}", broken.replace("\"module\"", "\"mod\"")), 0),
            (&*format!("{CONFIG}{{\"finding\": {{\"osv\": \"GO-1\", \"trace\": []}}}}"), 0),
        ] {
            assert!(of(stdout, code).is_err(), "{stdout}");
        }
    }
}
