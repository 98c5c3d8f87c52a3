//! The parts of a plan that are read as they are written, each by its own type: an unknown field in one of them is a fault.
//! What they may hold beyond their types is checked in `validate`.

use serde::{Deserialize, Serialize};

use crate::auth::Role;

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

/// The pull request that a run checks: its gates are shown there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PullRequest {
    /// `owner/name` on GitHub.
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
    /// A git repository: `https://host/path`, `ssh://git@host/path`, `git@host:path` or a path; without credentials.
    pub git: String,
    /// Branch, tag or commit; default: the repository's HEAD.
    pub r#ref: Option<String>,
}
