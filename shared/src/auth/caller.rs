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
    /// The address that a person signed in with.
    pub email: Option<String>,
    /// The token of a session at Supabase Auth; none for a key, and for tokens that Auth did not give. It is for Auth: the API calls the database with tokens of its own.
    pub session: Option<String>,
    /// Parts of the API that it may use; none: all.
    pub scopes: Option<Vec<String>>,
    pub origin: RequestOrigin,
}
