//! The audit log: what was done to data and rights. The database writes its rows in the transaction that makes the change; here they are
//! read and verified, and their payloads sealed.

mod chain;
mod entry;
mod read_audit;
mod seal;

pub use chain::{Chain, ChainError};
pub use entry::{AuditEntry, AuditHead};
pub use read_audit::{Page, read_audit};
pub use seal::seal_payloads;
