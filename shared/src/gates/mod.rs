//! What a gate leaves behind: one evidence document for all of them (`nofx.gate.evidence/v1`).

mod evidence;

pub use evidence::{Coverage, CoveredFile, Evidence, Finding, Input, ReportFile, Severity, TestCount, Tool, Verdict};
