//! What is asked for, and what comes of it.

use std::path::PathBuf;

use nofx_shared::gates::Evidence;
use nofx_shared::plan::Plan;

/// Which gates judge which folder.
pub struct GateOptions {
    /// The root of the working tree.
    pub dir: PathBuf,
    /// Its steps of gates say which there are and what their inputs are; without a plan, they are detected.
    pub plan: Option<Plan>,
    /// Names of gates (`lint`, `gate:lint`) or of the plan's steps; all when empty.
    pub names: Vec<String>,
    /// What changed lines are compared with, for gates that have this input.
    pub base: Option<String>,
    /// Whether `gate:e2e_smoke` may start the product.
    pub risky: bool,
    /// Names of the secrets that steps may have: the plan is a file of the tree that is judged, and must not choose them alone.
    pub secrets: Vec<String>,
    /// The folder for the evidence; default: `.nofx/gates` of the working tree.
    pub out: Option<PathBuf>,
}

/// What a gate decided.
pub struct GateVerdict {
    /// The step of the plan, or the gate.
    pub name: String,
    pub evidence: Evidence,
    /// The evidence document.
    pub file: PathBuf,
}

/// Why nothing was judged, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub(super) String);
