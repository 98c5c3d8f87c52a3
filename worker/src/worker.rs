//! The loops of a worker and the order in which they stop: read this first.
//!
//! On SIGTERM or Ctrl-C the consume loop stops claiming, waits for its running steps, interrupts the rest, and ends; then the other loops
//! end too.

use std::sync::Arc;

use nofx_shared::artifacts;
use nofx_shared::crypto::{Keyring, SigningKey};
use nofx_shared::db::Db;
use nofx_shared::net;
use nofx_shared::queue::Queue;
use nofx_shared::secrets::SecretStore;
use nofx_shared::settings;
use nofx_shared::storage::{self, Storage};
use nofx_shared::telemetry;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::consume::Consumer;
use crate::drivers::Processes;
use crate::listener::{self, Wakeups};
use crate::metrics::Metrics;
use crate::models::{Models, Timings};
use crate::step::Services;
use crate::workspace::Workspaces;
use crate::{admin, jobs, task_protection};

/// Why a worker could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not create {path}")]
    Folder {
        path: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("could not listen on port {port}; set another one with NOFX_ADMIN_PORT")]
    Port {
        port: u16,
        #[source]
        source: std::io::Error,
    },
    #[error("could not listen for signals")]
    Signals(#[source] std::io::Error),
}

/// Runs the worker until it gets a signal to stop.
pub async fn run(settings: settings::Worker) -> Result<(), Error> {
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Signals)?;
    let stopping = stop.clone();
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        stopping.cancel();
    });

    std::fs::create_dir_all(&settings.workspaces).map_err(|source| Error::Folder { path: settings.workspaces.clone(), source })?;
    let supabase = &settings.supabase;
    let db = Db::new(&supabase.rest_url, &supabase.anon_key, supabase.service_role_key.clone()).in_region(settings.region.as_deref());
    let storage = Storage::new(&supabase.url, &supabase.service_role_key);
    ensure_bucket(&storage, &stop).await;

    let metrics = Arc::new(Metrics::new());
    let source = listener::Settings { worker: settings.name.clone(), db_url: supabase.db_url.clone(), queue: settings.queue.clone() };
    let wakeups = Wakeups::start(source, stop.clone());
    let credentials = match &settings.queue {
        settings::Queue::Sqs { aws, .. } => net::aws(aws).await.credentials_provider(),
        settings::Queue::Postgres | settings::Queue::Redis { .. } => None,
    };
    let queue = Arc::new(Queue::new(settings.queue.clone(), credentials));
    let processes = Processes::new(settings.processes);
    let services = Arc::new(Services {
        db: db.clone(),
        storage,
        secrets: SecretStore::new(settings.secrets.clone(), db.clone()),
        forges: settings.forges.clone(),
        models: Models::new(
            settings.models.clone(),
            Timings { routing: metrics.model_routing.clone(), record: metrics.model_record.clone() },
        ),
        workspaces: Workspaces::new(settings.workspaces.clone(), processes.clone()),
        processes,
        allow_private_addresses: settings.allow_private_addresses,
        worker: settings.name.clone(),
        image: settings.image.clone(),
        checks: Notify::new(),
        hooks: Notify::new(),
        public_url: settings.public_url.clone(),
        signing_key: settings.signing_key.clone(),
    });
    publish_key(&db, &settings.signing_key, &stop).await;
    let admin = admin::serve(settings.admin_port, Arc::clone(&metrics), db.clone(), stop.clone()).await?;
    let context = jobs::JobContext {
        db: db.clone(),
        services: Arc::clone(&services),
        metrics: Arc::clone(&metrics),
        wakeups: wakeups.clone(),
        queue: Arc::clone(&queue),
        identity: jobs::WorkerIdentity {
            name: settings.name.clone(),
            region: settings.region.clone(),
            concurrency: settings.concurrency,
            started_at: chrono::Utc::now(),
        },
        keys: keyring(&settings, &services).await,
    };
    let jobs = jobs::spawn(context, settings.sweep, stop.clone());

    tracing::info!(worker = settings.name, admin = %admin, "worker started");
    let (busy, is_busy) = watch::channel(false);
    if let Some(agent) = settings.ecs_agent.clone() {
        tokio::spawn(task_protection::run(agent, is_busy));
    }
    Consumer::new(db, &settings, services, wakeups, queue, metrics, busy).run(stop).await;
    jobs.abort();
    telemetry::flush().await;
    tracing::info!(worker = settings.name, "stopped");
    Ok(())
}

/// The keys that encrypt payloads of the audit log: from the settings, or from the secrets of the deployment.
async fn keyring(settings: &settings::Worker, services: &Services) -> Option<Keyring> {
    if settings.encryption_keys.is_some() {
        return settings.encryption_keys.clone();
    }
    let keys = match services.secrets.of_deployment("NOFX_ENCRYPTION_KEYS").await? {
        Ok(text) => text.parse::<Keyring>().map_err(str::to_owned),
        Err(error) => Err(error.to_string()),
    };
    keys.inspect_err(|why| tracing::warn!(why, "could not load NOFX_ENCRYPTION_KEYS: audit log payloads stay unencrypted")).ok()
}

/// Publishes the public half of the signing key: it verifies the attestations of this worker.
async fn publish_key(db: &Db, key: &SigningKey, stop: &CancellationToken) {
    while let Err(error) = artifacts::register_signing_key(db, key.public()).await {
        tracing::warn!(%error, key = key.public().kid, "could not publish the signing key yet");
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
        }
    }
}

/// Retries until Storage is available.
async fn ensure_bucket(storage: &Storage, stop: &CancellationToken) {
    while let Err(error) = storage.ensure_bucket().await {
        tracing::warn!(%error, bucket = storage::ARTIFACTS, "could not create the bucket yet");
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
        }
    }
}
