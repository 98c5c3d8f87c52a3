//! A plan as it is after every check, and the rows that the database takes of it.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;
use serde_json::Value;

use super::{Budget, PullRequest, Step, Workspace};

/// A plan that passed every check.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct Plan {
    #[schemars(default)]
    pub goal: String,
    #[schemars(default)]
    pub priority: i32,
    pub deadline_s: Option<u64>,
    pub max_parallel: Option<u32>,
    pub workspace: Option<Workspace>,
    /// The pull request that the run checks.
    pub pull_request: Option<PullRequest>,
    /// What the steps may spend on models; the tenant's budget applies too.
    pub budget: Option<Budget>,
    /// Confirms that the plan does more than read and check; required by `gate:e2e_smoke`.
    #[schemars(default)]
    pub risky: bool,
    /// In an order in which each step follows the steps it needs.
    pub steps: Vec<Step>,
    /// Where each of `steps` stood in the plan as it was written.
    #[serde(skip)]
    pub positions: Vec<usize>,
    /// Oddities that are no errors.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

impl Plan {
    /// The rows that `create_run` takes: needs as indexes of earlier steps.
    pub fn rows(&self) -> Vec<Value> {
        let places: HashMap<&str, usize> = self.steps.iter().enumerate().map(|(at, step)| (step.name.as_str(), at)).collect();
        self.steps
            .iter()
            .zip(&self.positions)
            .map(|(step, position)| {
                let needs: BTreeSet<usize> = step.needs.iter().filter_map(|need| places.get(need.as_str()).copied()).collect();
                serde_json::json!({
                    "name": step.name, "tool": step.tool, "position": position, "needs": needs, "spec": step.spec(),
                    "on_failure": step.on_failure, "max_attempts": step.retry.max_attempts.unwrap_or(1),
                    "concurrency_key": step.concurrency_key, "concurrency_limit": step.concurrency_limit,
                })
            })
            .collect()
    }
}
