//! The plan language: text → validated plan → rows for `create_run`. Pure: calls no database and executes nothing.

pub mod expression;
mod fields;
mod graph;
mod limits;
mod parse;
mod schema;
mod template;
mod tools;
mod validate;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::auth::Role;

pub use parse::{from_json, from_yaml};
pub use schema::schema;
pub use template::resolve;
pub use tools::TOOLS;

/// What happens to the run when a step fails permanently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// The run fails; running siblings finish, nothing new starts.
    #[default]
    Fail,
    /// Steps that depend on it see the failure and run.
    Continue,
    /// Steps that depend on it are skipped; the run continues.
    Skip,
}

/// How often and when a step is retried.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// 1 to 100; default: 1, since a step is not repeated unless its author allows it.
    pub max_attempts: Option<u32>,
    /// Wait before the second attempt; default: 500.
    pub initial_ms: Option<u64>,
    /// Factor from each wait to the next; default: 2.0.
    pub factor: Option<f64>,
    /// Longest wait; default: 60,000.
    pub max_ms: Option<u64>,
    /// Share of the wait that is random, 0 to 1; default: 0.2.
    pub jitter: Option<f64>,
}

/// What a step may use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    pub cpu_s: Option<u64>,
    pub memory_mb: Option<u64>,
    pub disk_mb: Option<u64>,
    pub processes: Option<u64>,
    pub network: Option<String>,
}

/// The pull request that a run checks: its gates are shown there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PullRequest {
    /// `owner/name` at GitHub.
    pub repository: String,
    /// The commit that is checked.
    pub head_sha: String,
    pub number: Option<u64>,
}

/// What a run may spend on models.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    pub usd: Option<f64>,
    pub tokens: Option<u64>,
}

/// The approval that a step requires before it runs. The tenant's policy may require more, never less.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// `supervisor` (default) or `admin`.
    pub role: Option<Role>,
    /// How many different people must approve, 1 to 10; default: 1. The run's author is not one of them.
    pub count: Option<u32>,
    /// The step fails after this many seconds without a decision.
    pub expires_s: Option<u64>,
}

/// The source of the files that the run's steps work on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Workspace {
    /// URL or path of a git repository.
    pub git: String,
    /// Branch, tag or commit; default: the repository's HEAD.
    pub r#ref: Option<String>,
}

/// A step, checked, with the plan's defaults applied.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct Step {
    pub name: String,
    pub tool: String,
    /// Names of steps that must finish first.
    #[schemars(default)]
    pub needs: Vec<String>,
    /// CEL; the step is skipped when it is false.
    pub r#if: Option<String>,
    /// CEL that yields a list: one child for each item.
    pub for_each: Option<String>,
    /// Inputs of the tool; `${{ … }}` is CEL.
    #[schemars(default)]
    pub inputs: Map<String, Value>,
    #[schemars(default)]
    pub retry: Retry,
    pub timeout_s: Option<u64>,
    #[schemars(default)]
    pub on_failure: OnFailure,
    pub driver: Option<String>,
    pub resources: Option<Resources>,
    #[schemars(default)]
    pub env: Map<String, Value>,
    /// Names of secrets that the step may see.
    #[schemars(default)]
    pub secrets: Vec<String>,
    /// The approval that is required before the step runs.
    pub approval: Option<Approval>,
    /// Steps of the tenant with the same key run at most `concurrency_limit` at once.
    pub concurrency_key: Option<String>,
    /// Default: 1.
    pub concurrency_limit: Option<u32>,
    /// Reaches the step's effects, the same for every attempt: the header `Idempotency-Key` of `http`, `NOFX_IDEMPOTENCY_KEY` of `bash`.
    pub idempotency_key: Option<String>,
}

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
    /// In an order in which each step comes after what it needs.
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
        let place = |name: &str| self.steps.iter().position(|step| step.name == name);
        self.steps
            .iter()
            .zip(&self.positions)
            .map(|(step, position)| {
                let needs: BTreeSet<usize> = step.needs.iter().filter_map(|need| place(need)).collect();
                serde_json::json!({
                    "name": step.name, "tool": step.tool, "position": position, "needs": needs, "spec": step.spec(),
                    "on_failure": step.on_failure, "max_attempts": step.retry.max_attempts.unwrap_or(1),
                    "concurrency_key": step.concurrency_key, "concurrency_limit": step.concurrency_limit,
                })
            })
            .collect()
    }
}

impl Step {
    /// What a worker needs to execute the step; fields that say nothing are left out, for the row is read often.
    fn spec(&self) -> Value {
        let mut spec = Map::new();
        let mut put = |key: &str, value: Value| {
            let empty = value.is_null() || value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty);
            if !empty {
                spec.insert(key.to_owned(), value);
            }
        };
        put("inputs", Value::Object(self.inputs.clone()));
        put("if", self.r#if.clone().into());
        put("for_each", self.for_each.clone().into());
        if self.retry != Retry::default() {
            put("retry", serde_json::to_value(&self.retry).unwrap_or_default());
        }
        put("timeout_s", self.timeout_s.into());
        put("driver", self.driver.clone().into());
        put("resources", serde_json::to_value(&self.resources).unwrap_or_default());
        put("env", Value::Object(self.env.clone()));
        put("secrets", self.secrets.clone().into());
        put("approval", serde_json::to_value(&self.approval).unwrap_or_default());
        put("idempotency_key", self.idempotency_key.clone().into());
        put("refs", template::references(self).into_iter().collect::<Vec<_>>().into());
        Value::Object(spec)
    }
}
