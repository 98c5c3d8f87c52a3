//! A gate as a check run of GitHub: its state, its summary, and an annotation for each finding.

use chrono::{SecondsFormat, Utc};
use nofx_shared::gates::{Check, Evidence, Severity};
use serde_json::{Value, json};

use crate::step::Services;

/// Limit for one check.
const MAX_ANNOTATIONS: usize = 500;

/// The id by which one of our checks is found.
pub(super) fn external_id(check: &Check) -> String {
    check.step_id.to_string()
}

pub(super) fn check_body(services: &Services, check: &Check, evidence: Option<&Evidence>, annotations: &[Value]) -> Value {
    let title = match (check.state.as_str(), &check.question) {
        ("queued", _) => "Queued".to_owned(),
        ("in_progress", Some(question)) if check.status == "waiting" => format!("Waiting for approval: {question}"),
        ("in_progress", _) => "Running".to_owned(),
        _ => evidence.map_or_else(|| check.status.replace('_', " "), |evidence| evidence.summary.chars().take(200).collect()),
    };
    let why = check.error.as_ref().and_then(|error| error["message"].as_str()).unwrap_or_default();
    // A verdict that counts for no policy is no success.
    let uncounted = check.judged.as_ref().and_then(|judged| judged.uncounted.as_deref()).filter(|_| check.status == "succeeded");
    let why = uncounted.map_or_else(|| why.to_owned(), |uncounted| format!("Its verdict does not count: {uncounted}."));
    let findings = evidence.map_or(0, |evidence| evidence.findings_total);
    let summary = format!("`{}`. {findings} findings. {why}", check.tool);
    let mut body = json!({
        "name": check.name, "head_sha": check.head_sha, "external_id": external_id(check), "status": check.state,
        "output": {"title": title, "summary": summary.chars().take(60_000).collect::<String>(), "annotations": annotations},
    });
    if let Some(url) = &services.public_url {
        body["details_url"] = json!(format!("{url}/ui/runs/{}", check.run_id));
    }
    let instant = |at: chrono::DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    if let Some(at) = check.started_at {
        body["started_at"] = json!(instant(at));
    }
    if check.state == "completed" {
        body["completed_at"] = json!(instant(check.ended_at.unwrap_or_else(Utc::now)));
        body["conclusion"] = json!(match check.status.as_str() {
            "succeeded" if uncounted.is_some() => "neutral",
            "succeeded" => "success",
            "skipped" => "skipped",
            "cancelled" => "cancelled",
            "timed_out" => "timed_out",
            _ => "failure",
        });
    }
    body
}

/// An annotation for each finding with a line; all findings are in the evidence.
pub(super) fn annotations(evidence: &Evidence) -> Vec<Value> {
    let placed = evidence.findings.iter().filter_map(|finding| Some((finding, finding.file.as_ref()?, finding.line?)));
    placed
        .take(MAX_ANNOTATIONS)
        .map(|(finding, file, line)| {
            let level = match finding.severity {
                Severity::Error => "failure",
                Severity::Warning => "warning",
                Severity::Info => "notice",
            };
            json!({"path": file, "start_line": line, "end_line": line, "annotation_level": level, "message": finding.message, "title": finding.rule})
        })
        .collect()
}
