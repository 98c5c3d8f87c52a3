use std::collections::BTreeMap;
use std::path::Path;

use nofx_shared::engine::Failure;
use nofx_shared::gates::{Finding, Severity, Tool, Verdict};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::context::GateContext;
use super::gate::Gate;
use super::judgement::Judgement;
use super::program::tool_of;
use crate::drivers::{script_argv, tail};
use crate::workspace::folder_below;

/// Checks with the ecosystem's own tool (`cargo audit`, `npm audit`, `pip-audit`) whether a dependency has a known vulnerability. When the
/// tool is missing or cannot reach its data, the gate does not pass.
#[derive(JsonSchema)]
pub(crate) struct Audit;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Inputs {
    /// Folder below the workspace.
    cwd: Option<String>,
    /// The minimum severity that fails the gate: `warning` (moderate; default), `error` (high) or `info` (low).
    fail_on: Option<Severity>,
    /// Advisories that are accepted, with the reason: `{"RUSTSEC-2026-0001": "not reachable"}`.
    #[serde(default)]
    accept: BTreeMap<String, String>,
}

/// Ids of advisories, and their findings.
type Advisories = Vec<(String, Finding)>;

struct Auditor {
    /// The lock file that it audits.
    file: &'static str,
    command: &'static str,
    read: fn(&Value) -> Result<Advisories, String>,
}

const AUDITORS: &[Auditor] = &[
    Auditor { file: "Cargo.lock", command: "cargo audit --json", read: cargo },
    Auditor { file: "package-lock.json", command: "npm audit --json", read: npm },
    Auditor {
        file: "requirements.txt",
        command: "pip-audit --format json --progress-spinner off --requirement requirements.txt",
        read: pip,
    },
];

impl Gate for Audit {
    const TOOL: &'static str = "gate:audit";
    type Inputs = Inputs;

    fn fits(workspace: &Path) -> bool {
        AUDITORS.iter().any(|auditor| workspace.join(auditor.file).is_file())
    }

    async fn judge(context: &GateContext<'_>, inputs: Inputs) -> Result<Judgement, Failure> {
        let dir = folder_below(context.workspace.clone(), inputs.cwd.as_deref())?;
        let auditors: Vec<&Auditor> = AUDITORS.iter().filter(|auditor| dir.join(auditor.file).is_file()).collect();
        if auditors.is_empty() {
            let files = AUDITORS.iter().map(|auditor| auditor.file).collect::<Vec<_>>().join(", ");
            return Ok(Judgement::inconclusive(format!("no lock file to audit (none of {files})")));
        }
        let mut judgement = Judgement::of(Verdict::Pass, "");
        let mut tools = vec![];
        for auditor in &auditors {
            let result = context.run(script_argv(auditor.command), &dir).await?;
            tools.push(tool_of(context, auditor.command, &dir).await?);
            judgement.output.push_str(&result.output);
            judgement.exit_code = result.exit_code;
            let read = serde_json::from_str(result.stdout.trim())
                .map_err(|_| "the output is not JSON".to_owned())
                .and_then(|value| (auditor.read)(&value));
            match read {
                Ok(found) => {
                    let counted = found.into_iter().filter(|(id, _)| !inputs.accept.contains_key(id));
                    judgement.findings.extend(counted.map(|(_, finding)| finding));
                }
                Err(why) => {
                    let tail = tail(result.output.trim(), 300);
                    (judgement.verdict, judgement.summary) =
                        (Verdict::Inconclusive, format!("`{}` gave no usable report ({why}): {tail}", auditor.command));
                }
            }
        }
        let threshold = inputs.fail_on.unwrap_or(Severity::Warning);
        let failing = judgement.findings.iter().filter(|finding| finding.severity >= threshold).count();
        if failing > 0 {
            (judgement.verdict, judgement.summary) = (Verdict::Fail, format!("{failing} dependencies have known vulnerabilities"));
        } else if judgement.verdict == Verdict::Pass {
            judgement.summary = "no dependency has a known vulnerability that fails the gate".to_owned();
        }
        let names = tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>().join(", ");
        let versions: Vec<&str> = tools.iter().filter_map(|tool| tool.version.as_deref()).collect();
        judgement.tool = Tool { name: names, version: (!versions.is_empty()).then(|| versions.join(", ")) };
        judgement.command = Some(auditors.iter().map(|auditor| auditor.command).collect::<Vec<_>>().join("; "));
        Ok(judgement)
    }
}

fn advisory(file: &str, id: &str, severity: Severity, message: String) -> (String, Finding) {
    let finding = Finding { file: Some(file.to_owned()), line: None, column: None, rule: Some(id.to_owned()), severity, message };
    (id.to_owned(), finding)
}

fn cargo(value: &Value) -> Result<Advisories, String> {
    // Without advisories nothing was checked.
    let known = value["database"]["advisory-count"].as_u64().unwrap_or_default();
    let list = value["vulnerabilities"]["list"].as_array().filter(|_| known > 0).ok_or("no advisory database")?;
    let one = |entry: &Value| {
        let text = |path: &str| entry.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        let message = format!("{} {}: {}", text("/package/name"), text("/package/version"), text("/advisory/title"));
        advisory("Cargo.lock", &text("/advisory/id"), Severity::Error, message)
    };
    Ok(list.iter().map(one).collect())
}

fn npm(value: &Value) -> Result<Advisories, String> {
    let packages = value["vulnerabilities"].as_object().filter(|_| value["auditReportVersion"] == 2).ok_or("not a version 2 report")?;
    let mut out: Advisories = vec![];
    for (name, package) in packages {
        // A text in `via` is another package of the list, which has its own advisory.
        for via in package["via"].as_array().into_iter().flatten().filter(|via| via.is_object()) {
            let severity = match via["severity"].as_str() {
                Some("critical" | "high") => Severity::Error,
                Some("moderate") => Severity::Warning,
                _ => Severity::Info,
            };
            let id = via["url"].as_str().and_then(|url| url.rsplit('/').next()).unwrap_or("unknown");
            let message = format!("{name} {}: {}", via["range"].as_str().unwrap_or_default(), via["title"].as_str().unwrap_or_default());
            out.push(advisory("package-lock.json", id, severity, message));
        }
    }
    Ok(out)
}

fn pip(value: &Value) -> Result<Advisories, String> {
    let mut out: Advisories = vec![];
    for package in value["dependencies"].as_array().ok_or("no list of dependencies")? {
        let name = package["name"].as_str().unwrap_or_default();
        if let Some(reason) = package["skip_reason"].as_str() {
            return Err(format!("{name} was skipped: {reason}"));
        }
        for found in package["vulns"].as_array().into_iter().flatten() {
            let message = format!(
                "{name} {}: {}",
                package["version"].as_str().unwrap_or_default(),
                found["description"].as_str().unwrap_or_default()
            );
            let message = message.chars().take(500).collect();
            out.push(advisory("requirements.txt", found["id"].as_str().unwrap_or("unknown"), Severity::Error, message));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_tool_without_data_does_not_pass_the_gate() {
        assert!(super::npm(&json!({"error": {"code": "ENOTFOUND"}})).is_err());
        assert!(super::cargo(&json!({"database": {"advisory-count": 0}, "vulnerabilities": {"list": []}})).is_err());
        assert!(super::pip(&json!({"dependencies": [{"name": "a", "skip_reason": "not on the index"}]})).is_err());
    }

    #[test]
    fn advisories_are_read() {
        let npm = json!({"auditReportVersion": 2, "vulnerabilities": {"a": {"via": [{"title": "bad", "severity": "high", "range": "<2", "url": "https://x/GHSA-1"}]}, "b": {"via": ["a"]}}});
        let found = super::npm(&npm).expect("a report");
        assert_eq!((found.len(), found[0].0.as_str(), found[0].1.message.as_str()), (1, "GHSA-1", "a <2: bad"));
        let cargo = json!({"database": {"advisory-count": 9}, "vulnerabilities": {"list": [{"advisory": {"id": "RUSTSEC-1", "title": "bad"}, "package": {"name": "a", "version": "1"}}]}});
        assert_eq!(super::cargo(&cargo).expect("a report")[0].1.message, "a 1: bad");
        let pip = json!({"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "description": "bad"}]}]});
        assert_eq!(super::pip(&pip).expect("a report")[0].0, "PYSEC-1");
    }
}
