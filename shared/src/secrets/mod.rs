//! Secrets: only a step that names one gets it, and its value is never in a log, an event, an artifact or a trace.

mod aws;
mod mask;
mod store;

pub use mask::Mask;
pub use store::{Error, SecretStore};
