//! What a gate returns. `run_gate` makes the evidence document of it.

use nofx_shared::gates::{Asked, Coverage, Finding, Input, TestCount, Tool, Verdict};

/// A gate's verdict and what it is based on.
pub(crate) struct Judgement {
    pub verdict: Verdict,
    pub summary: String,
    pub asked: Asked,
    pub tool: Tool,
    pub command: Option<String>,
    pub exit_code: Option<i32>,
    pub findings: Vec<Finding>,
    pub tests: Option<TestCount>,
    pub coverage: Option<Coverage>,
    /// Files that were read, by digest.
    pub inputs: Vec<Input>,
    pub output: String,
}

impl Judgement {
    pub(crate) fn of(verdict: Verdict, summary: impl Into<String>) -> Self {
        Self {
            verdict,
            summary: summary.into(),
            asked: Asked::default(),
            tool: Tool::default(),
            command: None,
            exit_code: None,
            findings: vec![],
            tests: None,
            coverage: None,
            inputs: vec![],
            output: String::new(),
        }
    }

    /// `summary` says why there is no verdict.
    pub(crate) fn inconclusive(summary: impl Into<String>) -> Self {
        Self::of(Verdict::Inconclusive, summary)
    }
}
