//! Callers: tokens of people, API keys, roles.

mod api_key;
mod caller;
mod expires_at;
mod jwks;
mod jwt;
mod person;
mod role;
mod sessions;

pub use api_key::{ApiKey, fingerprint};
pub use caller::Caller;
pub use expires_at::expires_at;
pub use jwt::{Claims, Error, Verifier, sign_for, sign_for_api};
pub use person::{people, record_sign_in};
pub use role::Role;
pub use sessions::Sessions;
