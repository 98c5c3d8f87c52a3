//! The record of what was done to data and rights. Rows are written by the database, in the transaction that does the thing; here they
//! are read, checked and their payloads sealed.

mod chain;
mod record;
mod seal;

pub use chain::{Break, Chain, Head};
pub use record::{Entry, Page, read_audit};
pub use seal::seal_payloads;
