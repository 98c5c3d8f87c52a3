//! Who makes a request, once a credential has shown it.

use uuid::Uuid;

use super::Role;
use crate::db::RequestOrigin;

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
