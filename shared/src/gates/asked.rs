//! What a gate was asked: a policy compares it with what it asks for (`weakness` in SQL), field by field.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Severity;

/// Where the commit is from that changes are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BaseFrom {
    /// The repository that the plan names was asked.
    Remote,
    /// The workspace, where steps of the run could have written it.
    Workspace,
}

/// What the plan asked of a gate, and what the gate chose itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Asked {
    /// The command that ran, secrets masked; null when none did.
    pub command: Option<String>,
    /// Whether the gate knows the command for this repository and read its results as it knows them: nothing of it is the plan's word.
    pub is_known: bool,
    /// Project files in the root folder that the known command does not look at.
    pub unjudged: Vec<String>,
    /// The folder below the workspace; null for its root.
    pub cwd: Option<String>,
    /// The plan's `report` and `format`; null when it says nothing.
    pub report: Option<String>,
    pub format: Option<String>,
    /// The minimum severity that fails the gate; null for gates without one.
    pub fail_on: Option<Severity>,
    /// Thousandths of a percent; null for gates without a threshold.
    pub threshold_milli: Option<u64>,
    pub exclude: Vec<String>,
    /// Advisories that are accepted.
    pub accept: Vec<String>,
    /// The plan's `base`; null for the default branch.
    pub base: Option<String>,
    pub base_from: Option<BaseFrom>,
    /// Whether the reports were written while the gate's own command ran; null for gates that read none.
    pub is_measured: Option<bool>,
    /// How many tests ran; null when nothing says so.
    pub tests: Option<u64>,
    /// Names of variables that the plan sets, stubs too: they decide which program runs, and what it reads.
    pub env: Vec<String>,
    /// The image that the plan names; null when it names none.
    pub image: Option<String>,
    /// Of a verdict `not_applicable`: files that are of a kind that the gate judges. Null when it did not look.
    pub of_kind: Option<Vec<String>>,
}
