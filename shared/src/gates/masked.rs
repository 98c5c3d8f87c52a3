//! Evidence without secrets: each text is masked for itself, before it is cut, and never the document's text, where a number may look like a
//! secret. Numbers, digests and words of the format stay: they are ours.

use std::collections::BTreeMap;

use super::{Coverage, Evidence, Finding, GateDemand};
use crate::secrets::Mask;

/// Longest text of a finding, in characters.
const FINDING_TEXT: usize = 2000;

impl Evidence {
    /// The evidence with secrets masked, and the texts of its findings cut.
    #[must_use]
    pub fn masked(mut self, mask: &Mask) -> Self {
        apply(mask, &mut self.summary);
        apply(mask, &mut self.tool.name);
        each(mask, &mut self.tool.version);
        each(mask, &mut self.command);
        mask_demand(mask, &mut self.asked);
        for policy in &mut self.policies {
            policy.asks = mask.apply_to_json(&policy.asks);
        }
        for finding in &mut self.findings {
            mask_finding(mask, finding);
        }
        if let Some(coverage) = &mut self.coverage {
            mask_coverage(mask, coverage);
        }
        for input in &mut self.inputs {
            // Those of git are ours.
            if input.digest.starts_with("sha256:") {
                apply(mask, &mut input.name);
            }
        }
        self
    }
}

fn mask_demand(mask: &Mask, asked: &mut GateDemand) {
    for text in [&mut asked.command, &mut asked.cwd, &mut asked.report, &mut asked.base, &mut asked.image] {
        each(mask, text);
    }
    each(mask, &mut asked.unjudged);
    each(mask, &mut asked.exclude);
    each(mask, &mut asked.accept);
    each(mask, &mut asked.env);
    each(mask, asked.of_kind.iter_mut().flatten());
}

fn mask_finding(mask: &Mask, finding: &mut Finding) {
    let texts = [Some(&mut finding.message), finding.file.as_mut(), finding.rule.as_mut()];
    for text in texts.into_iter().flatten() {
        apply(mask, text);
        if let Some((at, _)) = text.char_indices().nth(FINDING_TEXT) {
            text.truncate(at);
        }
    }
}

fn mask_coverage(mask: &Mask, coverage: &mut Coverage) {
    each(mask, &mut coverage.unmeasured);
    each(mask, &mut coverage.unmapped);
    each(mask, coverage.reports.iter_mut().map(|report| &mut report.path));
    coverage.files = keys(mask, std::mem::take(&mut coverage.files));
    coverage.left_out = keys(mask, std::mem::take(&mut coverage.left_out));
    each(mask, coverage.left_out.values_mut());
}

fn keys<T>(mask: &Mask, entries: BTreeMap<String, T>) -> BTreeMap<String, T> {
    entries.into_iter().map(|(key, value)| (mask.apply(&key), value)).collect()
}

fn each<'a>(mask: &Mask, texts: impl IntoIterator<Item = &'a mut String>) {
    for text in texts {
        apply(mask, text);
    }
}

fn apply(mask: &Mask, text: &mut String) {
    *text = mask.apply(text);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Evidence, FINDING_TEXT, Mask};

    fn evidence(findings: &Value) -> Evidence {
        let document = json!({"schema": Evidence::SCHEMA, "gate": "gate:unit", "verdict": "fail", "summary": "it printed 1234", "tool": {"name": "x"},
            "asked": {"command": "run hunter2-hunter2", "is_known": false, "unjudged": ["hunter2-hunter2.toml"], "exclude": [], "accept": [],
                "env": [], "of_kind": ["a-hunter2-hunter2"]},
            "command": "run hunter2-hunter2", "started_at": "2026-01-01T00:00:00Z", "duration_ms": 1234, "findings": findings, "findings_total": 1234,
            "inputs": [{"name": "workspace", "digest": "gitTree:1234"}, {"name": "hunter2-hunter2.xml", "digest": "sha256:1234"}], "attempt": 1});
        serde_json::from_value(document).expect("evidence")
    }

    #[test]
    fn a_secret_that_is_a_number_leaves_the_document_readable() {
        let mask = Mask::new(["1234".to_owned(), "hunter2-hunter2".to_owned(), "fail".to_owned()]);
        let found = json!([{"line": 1234, "severity": "error", "message": "1234 is no port", "rule": "hunter2-hunter2", "file": "hunter2-hunter2"}]);
        let masked = evidence(&found).masked(&mask);
        let text = serde_json::to_string(&masked).expect("JSON");
        let read: Evidence = serde_json::from_str(&text).expect("evidence still");
        assert!(!text.contains("hunter2"), "{text}");
        assert_eq!((read.findings[0].line, read.findings_total), (Some(1234), 1234));
        assert_eq!((read.findings[0].message.as_str(), read.summary.as_str()), ("*** is no port", "it printed ***"));
        assert_eq!(read.input("gitTree:", "workspace"), Some("1234"), "digests name what was judged");
    }

    #[test]
    fn a_finding_is_cut_after_it_was_masked() {
        let secret = "one-secret-of-some-length";
        let message = format!("{}{secret} and more", "ä".repeat(FINDING_TEXT - 10));
        let masked = evidence(&json!([{"severity": "error", "message": message}])).masked(&Mask::new([secret.to_owned()]));
        assert_eq!(masked.findings[0].message, format!("{}*** and mo", "ä".repeat(FINDING_TEXT - 10)));
    }
}
