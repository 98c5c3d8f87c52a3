//! Callers: tokens of people, API keys, roles.

mod api_key;
mod jwks;
mod jwt;
mod person;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::RequestOrigin;

pub use api_key::{ApiKey, fingerprint};
pub use jwt::{Claims, Error, Verifier, sign_for};
pub use person::{people, record_sign_in};

/// What a person may do; each role may do all that the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Viewer,
    Contributor,
    Supervisor,
    Admin,
}

/// Someone whose credential was checked.
#[derive(Clone)]
pub struct Caller {
    pub subject: String,
    pub tenant: Uuid,
    pub role: Role,
    /// The token for calls of the database, so that row-level security decides.
    pub token: String,
    /// Parts of the API that it may use; none: all.
    pub scopes: Option<Vec<String>>,
    pub origin: RequestOrigin,
}
