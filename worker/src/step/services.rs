//! What all steps of a worker share: connections, stores and keys. Built once, when the worker starts; building makes no call. What runs
//! the steps (metrics, the queue, wake-ups) is not here: no step may reach it.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use nofx_sandbox::Sandbox;
use nofx_shared::crypto::{Keyring, SigningKey};
use nofx_shared::db::Db;
use nofx_shared::drivers::{Driver, Placement};
use nofx_shared::secrets::SecretStore;
use nofx_shared::settings::{self, Forges};
use nofx_shared::storage::Storage;
use tokio::sync::Notify;

use super::turns::Turns;
use crate::dependencies::Dependencies;
use crate::drivers::{Accounts, Isolation, Processes, VercelFunction, offered};
use crate::models::{Models, Timings};
use crate::workspace::{Sources, Workspaces};

/// Longest time that a handler may take to clean up after it was stopped.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// Shared by all steps.
pub(crate) struct Services {
    pub db: Db,
    /// Seal payloads of the audit log, open hooks.
    pub keys: Keyring,
    pub storage: Storage,
    pub secrets: Arc<SecretStore>,
    /// The accounts of machines.
    pub accounts: Arc<Accounts>,
    pub forges: Forges,
    pub models: Models,
    pub workspaces: Workspaces,
    pub processes: Processes,
    /// Executes steps of the driver `vercel-function`, if the deployment has one.
    pub function: Option<VercelFunction>,
    /// The drivers that this deployment has, each with the placements that it can give to a step.
    pub offered: Vec<(Driver, &'static [Placement])>,
    pub dependencies: Dependencies,
    pub allow_private_addresses: bool,
    /// The folder of the operator's database of advisories for Rust.
    pub advisory_db: Option<PathBuf>,
    pub isolation: Isolation,
    /// To evaluate expressions.
    pub turns: Turns,
    /// How long a handler may take to clean up after it was stopped: not until the lease of its step has ended.
    pub stop_grace: Duration,
    /// The TCP ports that steps may connect to.
    pub step_ports: Vec<u16>,
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
    /// The tools and their inputs, as text for models that write plans. Made with the first plan: most workers make none.
    pub tool_catalogue: LazyLock<String>,
}

impl Services {
    pub(crate) fn new(
        settings: &settings::Worker,
        keys: Keyring,
        isolation: Isolation,
        sandbox: Sandbox,
        timings: Timings,
        dependencies: Dependencies,
        tool_catalogue: fn() -> String,
    ) -> Self {
        let supabase = &settings.supabase;
        let db = Db::new(&supabase.rest_url, &supabase.anon_key, supabase.service_role_key.clone()).in_region(settings.region.as_deref());
        let db = db.sealing_with(&keys);
        let processes = Processes::confined(settings.processes, sandbox.clone(), isolation.of_worker());
        let secrets = Arc::new(SecretStore::new(settings.secrets.clone(), db.clone()));
        let sources = Sources::new(settings.repository_paths.clone(), settings.workspaces.clone());
        // Every worker of a deployment has this key, and no other deployment.
        let deployment = settings.signing_key.public().kid.to_string();
        let accounts = Accounts::new(settings.machines.clone(), Arc::clone(&secrets), db.clone(), deployment);
        Self {
            storage: Storage::new(&supabase.url, &supabase.service_role_key),
            secrets,
            accounts: Arc::new(accounts),
            db,
            keys,
            forges: settings.forges.clone(),
            models: Models::new(settings.models.clone(), timings),
            workspaces: Workspaces::new(sandbox, processes.clone(), settings.workspaces_bytes, sources),
            processes,
            function: settings.function.as_ref().map(VercelFunction::new),
            offered: offered(settings.function.is_some()),
            dependencies,
            allow_private_addresses: settings.allow_private_addresses,
            advisory_db: settings.advisory_db.clone(),
            isolation,
            turns: Turns::default(),
            stop_grace: STOP_GRACE.min(settings.lease / 6),
            step_ports: settings.step_ports.clone(),
            worker: settings.name.clone(),
            image: settings.image.clone(),
            checks: Notify::new(),
            hooks: Notify::new(),
            public_url: settings.public_url.clone(),
            signing_key: settings.signing_key.clone(),
            tool_catalogue: LazyLock::new(tool_catalogue),
        }
    }
}
