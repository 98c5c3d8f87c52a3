//! Ruff's JSON: `[{code, filename, location: {row, column}, message}]`; whatever it reports fails its own run too.

use nofx_shared::gates::{Finding, Severity};
use serde_json::Value;

use super::reading::{Reading, ToolOutput, finding, place};

pub(super) fn read(output: &ToolOutput<'_>) -> Result<Reading, String> {
    let entries: Vec<Value> = serde_json::from_str(output.stdout.trim()).map_err(|error| error.to_string())?;
    let mut findings = vec![];
    for entry in &entries {
        let (Some(path), true) = (entry["filename"].as_str(), entry["location"].is_object()) else {
            return Err("an entry without filename and location".to_owned());
        };
        findings.push(Finding {
            file: Some(path.to_owned()),
            line: place(&entry["location"]["row"]),
            column: place(&entry["location"]["column"]),
            rule: entry["code"].as_str().map(str::to_owned),
            ..finding(Severity::Error, entry["message"].as_str().unwrap_or_default())
        });
    }
    Ok(Reading { findings, tests: None })
}
