//! Secrets: only a step that names one gets it, and its value is never in a log, an event, an artifact or a trace.

mod aws;
mod env;
mod error;
mod forms;
mod mask;
mod record_use;
mod store;
mod vault;

pub use env::of_environment;
pub use error::Error;
pub use mask::Mask;
pub use record_use::record_use;
pub use store::SecretStore;
