use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Asked, RequiringPolicy};
use crate::drivers::Enforced;

/// The verdict of a gate. Only `pass` and `not_applicable` let the run continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pass,
    Fail,
    /// There was nothing to judge.
    NotApplicable,
    /// The gate could not reach a verdict: counts as a failure.
    Inconclusive,
}

impl Verdict {
    /// Whether the run may continue.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Pass | Self::NotApplicable)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Info,
    Warning,
    Error,
}

/// One thing that a tool found. Lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Path in the workspace; null when the finding is about all of it.
    pub file: Option<String>,
    pub line: Option<u32>,
    pub column: Option<u32>,
    /// The tool's name for the rule, or the test's name.
    pub rule: Option<String>,
    pub severity: Severity,
    pub message: String,
}

/// The program that judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    pub name: String,
    /// As the program reports it.
    pub version: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TestCount {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

/// What was judged, by its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Input {
    pub name: String,
    /// `sha256:…`, `gitCommit:…` or `gitTree:…`
    pub digest: String,
}

/// Changed lines of a file, as `[first, last]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CoveredFile {
    pub covered: Vec<[u32; 2]>,
    pub uncovered: Vec<[u32; 2]>,
}

/// A coverage report that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportFile {
    pub path: String,
    pub format: String,
    pub digest: String,
}

/// Changed lines and how many of them tests ran.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    pub covered: u64,
    pub coverable: u64,
    /// Thousandths of a percent.
    pub threshold_milli: u64,
    /// The commit that was compared with, and the tree that was judged.
    pub base: String,
    pub head: String,
    pub files: BTreeMap<String, CoveredFile>,
    /// Changed source files that are not in any report.
    pub unmeasured: Vec<String>,
    /// Changed files that were left out, and why.
    pub left_out: BTreeMap<String, String>,
    /// Paths of reports that belong to no file of the repository, or to more than one.
    pub unmapped: Vec<String>,
    pub reports: Vec<ReportFile>,
}

/// The evidence of a gate, whatever its verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "nofx.gate.evidence/v1")]
pub struct Evidence {
    /// `nofx.gate.evidence/v1`
    pub schema: String,
    pub gate: String,
    pub verdict: Verdict,
    /// One sentence for people.
    pub summary: String,
    pub tool: Tool,
    /// What the gate was asked, and what it chose itself.
    #[serde(default)]
    pub asked: Asked,
    /// The policies that require the gate, as they were when it judged: what they ask, and who set them.
    #[serde(default)]
    pub policies: Vec<RequiringPolicy>,
    /// What was run, secrets masked.
    pub command: Option<String>,
    pub exit_code: Option<i32>,
    pub started_at: DateTime<Utc>,
    pub duration_ms: i64,
    /// At most 1,000, the worst first.
    pub findings: Vec<Finding>,
    pub findings_total: usize,
    pub tests: Option<TestCount>,
    pub coverage: Option<Coverage>,
    pub inputs: Vec<Input>,
    /// The URI of the artifact with what the tool printed; the name of a file beside the document when a working tree was judged on the spot.
    pub log: Option<String>,
    /// Null, like `step_id`, when a working tree was judged on the spot.
    pub run_id: Option<Uuid>,
    pub step_id: Option<Uuid>,
    pub attempt: u32,
    /// What held while the gate's processes ran; null when it ran none, or a working tree was judged on the spot.
    pub isolation: Option<Enforced>,
}

impl Evidence {
    pub const SCHEMA: &str = "nofx.gate.evidence/v1";
    pub const FINDINGS: usize = 1000;

    /// The digest of an input without its kind: `gitTree:` of `workspace`.
    pub fn input(&self, kind: &str, name: &str) -> Option<&str> {
        self.inputs.iter().filter(|input| input.name == name).find_map(|input| input.digest.strip_prefix(kind))
    }

    /// What must hold of every evidence document.
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }
}
