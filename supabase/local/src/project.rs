use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use uuid::Uuid;

use crate::people::Person;
use crate::realtime::Realtime;
use crate::signing_key::SigningKey;
use crate::storage::Storage;

/// A Supabase project, as its gateway serves it: keys, people, tenant, and the state of its services.
pub(crate) struct Project {
    pub(crate) rest_url: String,
    pub(crate) jwt_secret: String,
    pub(crate) signing_key: SigningKey,
    pub(crate) anon_key: String,
    pub(crate) service_role_key: String,
    pub(crate) people: Vec<Person>,
    pub(crate) tenant_id: Uuid,
    pub(crate) storage: Storage,
    pub(crate) realtime: Arc<Realtime>,
    pub(crate) client: reqwest::Client,
    /// The file for mail that a hosted project would send.
    pub(crate) mail: PathBuf,
    /// Links, codes and refresh tokens that have been used.
    pub(crate) used_tokens: Mutex<HashSet<String>>,
}
