//! What a gate leaves behind: one evidence document for all of them (`nofx.gate.evidence/v1`).

mod checks;
mod evidence;

pub use checks::{Check, rerun_check, claim_checks, mark_check_reported};
pub use evidence::{Coverage, CoveredFile, Evidence, Finding, Input, ReportFile, Severity, TestCount, Tool, Verdict};
