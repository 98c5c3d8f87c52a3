//! ESLint's JSON: `[{filePath, messages: [{ruleId, severity, message, line, column}]}]`.

use nofx_shared::gates::{Finding, Severity};
use serde_json::Value;

use super::reading::{Reading, ToolOutput, finding, place};

pub(super) fn read(output: &ToolOutput<'_>) -> Result<Reading, String> {
    let files: Vec<Value> = serde_json::from_str(output.stdout.trim()).map_err(|error| error.to_string())?;
    let mut findings = vec![];
    for file in &files {
        let (Some(path), Some(messages)) = (file["filePath"].as_str(), file["messages"].as_array()) else {
            return Err("an entry without filePath and messages".to_owned());
        };
        findings.extend(messages.iter().map(|message| Finding {
            file: Some(path.to_owned()),
            line: place(&message["line"]),
            column: place(&message["column"]),
            rule: message["ruleId"].as_str().map(str::to_owned),
            ..finding(
                if message["severity"] == 1 { Severity::Warning } else { Severity::Error },
                message["message"].as_str().unwrap_or_default(),
            )
        }));
    }
    Ok(Reading { findings, tests: None })
}
