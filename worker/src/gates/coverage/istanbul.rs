//! Istanbul's `coverage-final.json`: a line ran as often as the statement that starts on it and ran most.

use serde_json::Value;

use super::report::{Report, Unreadable};

pub(super) fn read(value: &Value) -> Result<Report, Unreadable> {
    let mut report = Report::default();
    for (key, file) in value.as_object().into_iter().flatten() {
        let fail = |what: &str| Unreadable::new(format!("{key}: {what}"));
        let path = file["path"].as_str().unwrap_or(key);
        let places = file["statementMap"].as_object().ok_or_else(|| fail("no statementMap"))?;
        let counts = file["s"].as_object().ok_or_else(|| fail("no counts"))?;
        let lines = report.file(path);
        for (id, place) in places {
            let line = place["start"]["line"]
                .as_u64()
                .and_then(|line| u32::try_from(line).ok())
                .ok_or_else(|| fail("a statement without a line"))?;
            let hits = counts.get(id).and_then(Value::as_u64).ok_or_else(|| fail("a statement without a count"))?;
            let max = lines.entry(line).or_default();
            *max = hits.max(*max);
        }
    }
    report.or_empty(true, "")
}
