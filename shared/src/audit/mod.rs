//! The audit log: what was done to data and rights. The database writes its rows in the transaction that makes the change; here they are
//! read and verified, and keys are wrapped again after a rotation.

mod chain;
mod entry;
mod read_audit;
mod rewrap_keys;

pub use chain::{Chain, ChainError};
pub use entry::{AuditEntry, AuditHead};
pub use read_audit::{Page, read_audit};
pub use rewrap_keys::rewrap_keys;
