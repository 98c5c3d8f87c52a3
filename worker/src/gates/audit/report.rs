//! What the readers of all tools share: advisories, and the fields of JSON that must be there.

use nofx_shared::gates::{Finding, Severity};
use serde_json::Value;

/// What a tool printed, and how it ended.
pub(super) struct Report<'a> {
    pub stdout: &'a str,
    pub exit_code: i32,
}

/// One known vulnerability of one package.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Advisory {
    /// The name that the tool prefers, then its others: each may be accepted.
    pub ids: Vec<String>,
    pub severity: Severity,
    pub message: String,
}

impl Advisory {
    pub(super) fn new(ids: Vec<String>, severity: Severity, message: &str) -> Self {
        Self { ids, severity, message: message.split_whitespace().collect::<Vec<_>>().join(" ") }
    }

    pub(super) fn finding(self, file: &str) -> Finding {
        let rule = self.ids.into_iter().next();
        Finding { file: Some(file.to_owned()), line: None, column: None, rule, severity: self.severity, message: self.message }
    }
}

impl Report<'_> {
    /// The output as one JSON value.
    pub(super) fn json(&self) -> Result<Value, String> {
        serde_json::from_str(self.stdout.trim()).map_err(|error| format!("the output is not JSON: {error}"))
    }

    /// The output as JSON values one after the other.
    pub(super) fn json_stream(&self) -> Result<Vec<Value>, String> {
        let values = serde_json::Deserializer::from_str(self.stdout).into_iter();
        values.collect::<Result<_, _>>().map_err(|error| format!("the output is not JSON: {error}"))
    }

    /// Refuses a report that says nothing of vulnerabilities although its tool failed: a tool of npm's family exits with 0 when it found
    /// none.
    pub(super) fn agrees(&self, advisories: &[Advisory]) -> Result<(), String> {
        match (self.exit_code, advisories) {
            (0, _) | (_, [_, ..]) => Ok(()),
            (code, []) => Err(format!("the tool exited with code {code} and reported nothing")),
        }
    }
}

/// Refuses a report that counts vulnerabilities without listing them: settings hide advisories that way. Whether as many
/// as are counted are listed, `lists` says for each severity, by the severity's name.
pub(super) fn lists_what_it_counts(counts: &Value, lists: impl Fn(&str, usize) -> bool) -> Result<(), String> {
    for (severity, counted) in counts.as_object().ok_or("there is no count of vulnerabilities")? {
        let counted = counted.as_u64().and_then(|counted| usize::try_from(counted).ok());
        let counted = counted.ok_or_else(|| format!("the count of {severity} vulnerabilities is no number"))?;
        if counted > 0 && !lists(severity, counted) {
            return Err(format!(
                "vulnerabilities are counted and not listed ({severity}: {counted}); remove the settings in the step's `env` that hide them, accept \
                 them in the gate's `accept`, and update the tool"
            ));
        }
    }
    Ok(())
}

/// The text at a JSON pointer, which must be there.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> Result<&'a str, String> {
    let found = value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    found.ok_or_else(|| format!("an entry has no text at {pointer}"))
}

/// The list at a JSON pointer, which must be there.
pub(super) fn list<'a>(value: &'a Value, pointer: &str) -> Result<&'a [Value], String> {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).ok_or_else(|| format!("there is no list at {pointer}"))
}

/// npm's severities. One that is not known is taken for the worst.
pub(super) fn severity(value: &Value) -> Severity {
    match value.as_str() {
        Some("moderate") => Severity::Warning,
        Some("low" | "info") => Severity::Info,
        _ => Severity::Error,
    }
}

/// The last part of an advisory's address: `GHSA-…`.
pub(super) fn id_of_address(value: &Value) -> Option<String> {
    value.as_str()?.trim_end_matches('/').rsplit('/').next().filter(|id| !id.is_empty()).map(str::to_owned)
}
