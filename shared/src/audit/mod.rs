//! The audit log: what was done to data and rights. The database writes its rows in the transaction that makes the change; here they are
//! read and verified, and their payloads sealed.

mod chain;
mod record;
mod seal;

pub use chain::{AuditHead, Chain, ChainError};
pub use record::{AuditEntry, Page, read_audit};
pub use seal::seal_payloads;
