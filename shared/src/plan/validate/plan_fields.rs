//! The fields of the plan itself: each is read and checked alone. Its steps are only listed here: see `step_fields`.

use serde_json::Value;

use super::workspace;
use crate::plan::fields::Fields;
use crate::plan::{Budget, Plan, PullRequest, Workspace};
use crate::problem::Fault;

pub(super) const PLAN_FIELDS: &[&str] =
    &["goal", "priority", "deadline_s", "max_parallel", "workspace", "risky", "budget", "pull_request", "defaults", "metadata", "steps"];
pub(super) const DEFAULT_FIELDS: &[&str] = &["retry", "timeout_s", "driver", "env", "on_failure"];

/// The plan without its steps.
pub(super) fn read(fields: &Fields<'_>, faults: &mut Vec<Fault>) -> Plan {
    fields.refuse_unknown(PLAN_FIELDS, faults);
    let goal = fields.text("goal", faults).unwrap_or_default();
    if goal.len() > 1000 {
        faults.push(Fault::new("/goal", "is longer than 1,000 bytes"));
    }
    let priority = fields.number("priority", -100, 100, faults).unwrap_or(0);
    let deadline_s = fields.number::<i64>("deadline_s", 1, 366 * 86_400, faults);
    let max_parallel = fields.number("max_parallel", 1, 10_000, faults);
    let workspace: Option<Workspace> = fields.typed("workspace", faults);
    if let Some(workspace) = &workspace {
        workspace::check(workspace, faults);
    }
    let risky = fields.typed("risky", faults).unwrap_or_default();
    let pull_request = fields.typed("pull_request", faults);
    if let Some(pull_request) = &pull_request {
        check_pull_request(pull_request, faults);
    }
    let budget: Option<Budget> = fields.typed("budget", faults);
    if budget.as_ref().and_then(|budget| budget.usd).is_some_and(|usd| !(0.0..=1e9).contains(&usd)) {
        faults.push(Fault::new("/budget/usd", "must be from 0 to 1000000000"));
    }
    Plan {
        goal,
        priority,
        deadline_s: deadline_s.and_then(|seconds| u64::try_from(seconds).ok()),
        max_parallel,
        workspace,
        pull_request,
        budget,
        risky,
        steps: vec![],
        positions: vec![],
        warnings: vec![],
    }
}

/// Defaults for the steps that do not set their own.
pub(super) fn defaults<'a>(fields: &Fields<'a>, faults: &mut Vec<Fault>) -> Option<Fields<'a>> {
    let defaults = fields.get("defaults").and_then(|value| Fields::of(value, "/defaults", faults));
    if let Some(defaults) = &defaults {
        defaults.refuse_unknown(DEFAULT_FIELDS, faults);
    }
    defaults
}

/// The steps as they are written.
pub(super) fn steps<'a>(fields: &Fields<'a>, faults: &mut Vec<Fault>) -> &'a [Value] {
    match fields.get("steps") {
        Some(Value::Array(steps)) if !steps.is_empty() => steps.as_slice(),
        Some(Value::Array(_)) | None => {
            faults.push(Fault::new("/steps", "add at least one step"));
            &[]
        }
        Some(_) => {
            faults.push(Fault::new("/steps", "must be a list"));
            &[]
        }
    }
}

fn check_pull_request(given: &PullRequest, faults: &mut Vec<Fault>) {
    let is_part =
        |part: &str| !part.is_empty() && !part.starts_with('.') && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if !given.repository.split_once('/').is_some_and(|(owner, name)| is_part(owner) && is_part(name)) {
        faults.push(Fault::new("/pull_request/repository", "must be owner/name"));
    }
    if !(40..=64).contains(&given.head_sha.len()) || !given.head_sha.chars().all(|c| c.is_ascii_hexdigit()) {
        faults.push(Fault::new("/pull_request/head_sha", "must be a full commit id"));
    }
}
