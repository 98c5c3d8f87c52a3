//! The project itself: what a hosted one has in its settings and its table of users.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Mutex;

use uuid::Uuid;

use crate::people::Person;
use crate::signing_key::SigningKey;

/// A Supabase project: keys, people, tenant, and the tokens that are used up. Its services have states of their own.
pub(crate) struct Project {
    pub(crate) jwt_secret: String,
    pub(crate) signing_key: SigningKey,
    pub(crate) anon_key: String,
    pub(crate) service_role_key: String,
    pub(crate) people: Vec<Person>,
    pub(crate) tenant_id: Uuid,
    /// The file for mail that a hosted project would send.
    pub(crate) mail: PathBuf,
    /// Links, codes and refresh tokens that have been used.
    pub(crate) used_tokens: Mutex<HashSet<String>>,
    /// Ids of sessions whose people have signed out.
    pub(crate) ended_sessions: Mutex<HashSet<String>>,
}
