//! What a worker needs before its loops start: the signals that stop it, the bucket, its public key, the keys of the audit log. An outage
//! makes it wait. What all steps share is built elsewhere: see `step::Services`.

use std::time::Duration;

use nofx_shared::artifacts;
use nofx_shared::crypto::{Keyring, SigningKey};
use nofx_shared::db::Db;
use nofx_shared::net;
use nofx_shared::queue::Queue;
use nofx_shared::secrets::SecretStore;
use nofx_shared::settings;
use nofx_shared::storage::{self, Storage};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::retry::{Backoff, retry_until_stopped};

/// Every second, because nothing runs until it succeeds.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(1) };

/// Cancelled by SIGTERM or Ctrl-C.
pub(crate) fn stop_at_signal() -> Result<CancellationToken, Error> {
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Signals)?;
    let stopping = stop.clone();
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        stopping.cancel();
    });
    Ok(stop)
}

/// Retries until Storage is available.
pub(crate) async fn ensure_bucket(storage: &Storage, stop: &CancellationToken) {
    let ensure = || async {
        let ensured = storage.ensure_bucket().await;
        ensured.inspect_err(|error| tracing::warn!(%error, bucket = storage::ARTIFACTS, "could not create the bucket; retrying"))
    };
    let ensured = retry_until_stopped(stop, BACKOFF, ensure, |_| false);
    tokio::select! { _ = ensured => {}, () = stop.cancelled() => {} }
}

/// Publishes the public half of the signing key: it verifies the attestations of this worker.
pub(crate) async fn publish_key(db: &Db, key: &SigningKey, stop: &CancellationToken) {
    let publish = || async {
        let published = artifacts::register_signing_key(db, key.public()).await;
        published.inspect_err(|error| tracing::warn!(%error, key = key.public().kid, "could not publish the signing key; retrying"))
    };
    let published = retry_until_stopped(stop, BACKOFF, publish, |_| false);
    tokio::select! { _ = published => {}, () = stop.cancelled() => {} }
}

/// The sending side of the queue, with credentials where it needs some.
pub(crate) async fn queue(settings: &settings::Queue) -> Queue {
    let credentials = match settings {
        settings::Queue::Sqs { aws, .. } => net::aws(aws).await.credentials_provider(),
        settings::Queue::Postgres | settings::Queue::Redis { .. } => None,
    };
    Queue::new(settings.clone(), credentials)
}

/// The keys that seal payloads of the audit log and secrets of hooks: from the settings, or from the secrets of the deployment. Without keys
/// the worker does not start.
pub(crate) async fn keyring(settings: &settings::Worker) -> Result<Keyring, Error> {
    if let Some(keys) = &settings.encryption_keys {
        return Ok(keys.clone());
    }
    let supabase = &settings.supabase;
    let db = Db::new(&supabase.rest_url, &supabase.anon_key, supabase.service_role_key.clone());
    let secrets = SecretStore::new(settings.secrets.clone(), db);
    match secrets.of_deployment("NOFX_ENCRYPTION_KEYS").await {
        Some(Ok(text)) => text.parse().map_err(|why: &str| Error::Keys(why.to_owned())),
        Some(Err(error)) => Err(Error::Keys(error.to_string())),
        None => Err(Error::Keys("it is not set".to_owned())),
    }
}
