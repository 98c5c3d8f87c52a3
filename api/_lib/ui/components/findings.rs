//! Evidence of a gate: its verdict, and what it found.

use maud::{Markup, html};
use nofx_shared::gates::Evidence;

use super::{badge, duration, table};

/// What a gate found, at its lines.
pub(in crate::ui) fn findings(evidence: &Evidence) -> Markup {
    let verdict = serde_json::to_value(evidence.verdict).unwrap_or_default();
    let head = html! { th { "Location" } th { "Rule" } th { "Message" } };
    let rows = html! {
        @for finding in &evidence.findings {
            @let severity = serde_json::to_value(finding.severity).unwrap_or_default();
            tr data-severity=(severity.as_str().unwrap_or_default()) {
                td { code {
                    (finding.file.as_deref().unwrap_or("whole workspace"))
                    @if let Some(line) = finding.line { ":" (line) @if let Some(column) = finding.column { ":" (column) } }
                } }
                td { (finding.rule.as_deref().unwrap_or_default()) }
                td { strong { (severity.as_str().unwrap_or_default()) } " " (finding.message) }
            }
        }
    };
    html! {
        p { (badge(verdict.as_str().unwrap_or_default())) " " (evidence.summary) }
        p.hint {
            (evidence.tool.name) " " (evidence.tool.version.as_deref().unwrap_or_default())
            @if let Some(command) = &evidence.command { " · " code { (command) } }
            " · " (duration(evidence.duration_ms))
        }
        @if !evidence.findings.is_empty() {
            (table("Findings", &head, &rows))
            @if evidence.findings_total > evidence.findings.len() { p.hint { (evidence.findings_total - evidence.findings.len()) " more not shown." } }
        }
    }
}
