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

/// The check's name. A step's name is its author's choice: what ran stands before it, so that no other tool takes a gate's place.
pub(super) fn name_of(check: &Check) -> String {
    format!("{}: {}", check.tool, check.name)
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
    let why = match uncounted {
        Some(uncounted) => format!("Its verdict does not count: {uncounted}."),
        None if check.status == "skipped" => format!("It did not run, so it proves nothing. {why}"),
        None => why.to_owned(),
    };
    let findings = evidence.map_or(0, |evidence| evidence.findings_total);
    let summary = format!("`{}`. {findings} findings. {why}", check.tool);
    let mut body = json!({
        "name": name_of(check), "head_sha": check.head_sha, "external_id": external_id(check), "status": check.state,
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
        body["conclusion"] = json!(conclusion(&check.status, uncounted.is_some()));
    }
    body
}

/// The conclusion of a step that is over. GitHub takes `neutral` and `skipped` for passed where a check is required, so what did not pass is
/// never one of them.
fn conclusion(status: &str, is_uncounted: bool) -> &'static str {
    match status {
        "succeeded" if is_uncounted => "action_required",
        "succeeded" => "success",
        "skipped" => "action_required",
        "cancelled" => "cancelled",
        "timed_out" => "timed_out",
        _ => "failure",
    }
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

#[cfg(test)]
mod tests {
    use nofx_shared::gates::Check;
    use serde_json::json;

    use super::{conclusion, name_of};

    #[test]
    fn nothing_that_did_not_pass_satisfies_a_required_check() {
        assert_eq!(conclusion("succeeded", false), "success");
        assert_eq!((conclusion("succeeded", true), conclusion("skipped", false)), ("action_required", "action_required"));
        for status in ["failed", "timed_out", "cancelled", "dead_lettered"] {
            assert!(!["success", "neutral", "skipped"].contains(&conclusion(status, false)), "{status}");
        }
    }

    #[test]
    fn no_tool_has_the_check_of_another() {
        let named = |tool: &str, name: &str| {
            let check = json!({"step_id": uuid::Uuid::nil(), "tenant_id": uuid::Uuid::nil(), "run_id": uuid::Uuid::nil(), "name": name, "tool": tool,
                "repository": "acme/web", "head_sha": "", "state": "queued", "status": "ready"});
            name_of(&serde_json::from_value::<Check>(check).expect("a check"))
        };
        assert_eq!(named("gate:unit", "unit"), "gate:unit: unit");
        assert_ne!(named("gate:secrets", "unit"), named("gate:unit", "unit"));
        assert_ne!(named("gate:secrets", "gate:unit: unit"), named("gate:unit", "unit"));
    }
}
