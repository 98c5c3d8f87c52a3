//! Who calls: tokens of people, API keys, roles.

mod api_key;
mod jwks;
mod jwt;
mod person;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use api_key::{ApiKey, fingerprint};
pub use jwt::{Claims, Error, Verifier, sign_for};
pub use person::{record_sign_in, people};

/// What a person may do; each role may do all that the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Viewer,
    Contributor,
    Supervisor,
    Admin,
}

/// Somebody whose credential was checked.
#[derive(Clone)]
pub struct Caller {
    pub subject: String,
    pub tenant: Uuid,
    pub role: Role,
    /// The token with which the database is asked, so that row-level security decides.
    pub token: String,
    /// Which parts of the API it may use; none: all.
    pub scopes: Option<Vec<String>>,
    pub origin: Origin,
}

/// Where a request came from, for the record.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub request_id: Option<String>,
    /// Empty where the host does not know it.
    pub address: Option<IpAddr>,
    /// Whom the service role acts for; nobody in particular when empty.
    pub actor: Option<String>,
}
