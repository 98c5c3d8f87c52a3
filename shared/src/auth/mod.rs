//! Callers: tokens of people, API keys, roles.

mod api_key;
mod caller;
mod jwks;
mod jwt;
mod person;
mod role;
mod session;
mod sessions;

pub use api_key::{ApiKey, fingerprint};
pub use caller::Caller;
pub use jwt::{Claims, Error, Verifier, sign_for, sign_for_api};
pub use person::{people, record_sign_in};
pub use role::Role;
pub use session::Session;
pub use sessions::Sessions;
