//! SARIF 2.1.0: results with rule, level and place; suppressed ones do not count.

use nofx_shared::gates::{Finding, Severity};
use serde_json::Value;

use super::reading::{Reading, ToolOutput, finding, place};

pub(super) fn read(output: &ToolOutput<'_>) -> Result<Reading, String> {
    let document: Value = serde_json::from_str(output.stdout.trim()).map_err(|error| error.to_string())?;
    let runs = document["runs"].as_array().ok_or("no runs")?;
    let mut findings = vec![];
    for run in runs {
        let broken = run["invocations"].as_array().into_iter().flatten().find(|one| one["executionSuccessful"] == false);
        if broken.is_some() {
            return Err("the tool says that its run did not succeed".to_owned());
        }
        // A run without results did not scan; an empty list means no findings.
        let results = run["results"].as_array().ok_or("a run without results")?;
        let is_counted =
            |result: &&Value| result["suppressions"].as_array().is_none_or(Vec::is_empty) && result["baselineState"] != "absent";
        findings.extend(results.iter().filter(is_counted).map(|result| one(result, run)));
    }
    Ok(Reading { findings, tests: None })
}

fn one(result: &Value, run: &Value) -> Finding {
    let rule = result["ruleId"].as_str().or_else(|| result["rule"]["id"].as_str());
    let rules = run["tool"]["driver"]["rules"].as_array();
    let of_rule = || rules?.iter().find(|one| one["id"].as_str() == rule)?["defaultConfiguration"]["level"].as_str();
    let severity = match result["level"].as_str().or_else(of_rule) {
        Some("error") => Severity::Error,
        Some("note" | "none") => Severity::Info,
        _ => Severity::Warning,
    };
    let physical = &result["locations"][0]["physicalLocation"];
    let uri = physical["artifactLocation"]["uri"].as_str();
    Finding {
        file: uri.map(|uri| uri.strip_prefix("file://").unwrap_or(uri).to_owned()),
        line: place(&physical["region"]["startLine"]),
        column: place(&physical["region"]["startColumn"]),
        rule: rule.map(str::to_owned),
        ..finding(severity, result["message"]["text"].as_str().unwrap_or_default())
    }
}
