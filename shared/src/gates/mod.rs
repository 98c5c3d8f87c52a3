//! Gates that tools decide: their evidence, one document for all of them (`nofx.gate.evidence/v1`), their verdicts, and checks of forges.

mod asked;
mod check_verdicts;
mod checks;
mod evidence;
mod masked;
mod policies;
mod record_gate;

pub use asked::{BaseFrom, GateDemand};
pub use check_verdicts::{Missing, TreeVerdicts, check_verdicts};
pub use checks::{
    Check, JudgedCommit, ReportedCheck, RerunChecks, StoredEvidence, claim_checks, mark_check_reported, put_off_check, refuse_check,
    rerun_check, rerun_checks,
};
pub use evidence::{Coverage, CoveredFile, Evidence, Finding, Input, ReportFile, Severity, TestCount, Tool, Verdict};
pub use policies::{RequiringPolicy, requiring_policies};
pub use record_gate::record_gate;
