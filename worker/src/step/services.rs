//! What all steps of a worker share: connections, stores and keys. Built once, when the worker starts.

use nofx_shared::crypto::SigningKey;
use nofx_shared::db::Db;
use nofx_shared::secrets::SecretStore;
use nofx_shared::settings::Forges;
use nofx_shared::storage::Storage;
use tokio::sync::Notify;

use crate::drivers::Processes;
use crate::models::Models;
use crate::workspace::Workspaces;

/// Shared by all steps.
pub(crate) struct Services {
    pub db: Db,
    pub storage: Storage,
    pub secrets: SecretStore,
    pub forges: Forges,
    pub models: Models,
    pub workspaces: Workspaces,
    pub processes: Processes,
    pub allow_private_addresses: bool,
    /// This worker's name.
    pub worker: String,
    /// The digest of its image, if it runs from one.
    pub image: Option<String>,
    /// Notified when a gate starts or ends: its check at the forge must be updated.
    pub checks: Notify,
    /// Notified when events were written that a hook may match.
    pub hooks: Notify,
    /// The base of links to runs.
    pub public_url: Option<String>,
    /// Signs attestations of artifacts.
    pub signing_key: SigningKey,
}
