//! Everything a handler may use: the services of the worker, and its step.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use nofx_shared::artifacts::Material;
use nofx_shared::crypto::SigningKey;
use nofx_shared::db::Db;
use nofx_shared::engine::{ClaimedStep, Failure, Outcome};
use nofx_shared::secrets::{Mask, SecretStore};
use nofx_shared::settings::Forges;
use nofx_shared::storage::Storage;
use nofx_shared::telemetry::TraceParent;
use serde_json::{Map, Value};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

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

/// One step: its row, its environment, and the services.
pub(crate) struct StepContext {
    pub step: ClaimedStep,
    /// The environment of the step's processes: variables and secrets that the step names, none of the worker's own.
    pub env: BTreeMap<String, String>,
    /// The step's `idempotency_key`, its expressions resolved: for calls of other systems.
    pub idempotency_key: Option<String>,
    pub mask: Mask,
    /// Its inputs, expressions resolved and secrets masked: for provenance.
    pub inputs: Value,
    pub started_at: DateTime<Utc>,
    /// Artifacts that it fetched, for provenance.
    pub materials: Mutex<Vec<Material>>,
    /// Internal parameters, for provenance: which model responded, …
    pub parameters: Mutex<Map<String, Value>>,
    /// The step's span in its run's trace, the parent of its calls and processes.
    pub trace: Option<TraceParent>,
    /// The step's result counts for the breaker of this target: see `check_breaker`.
    pub breaker_target: Arc<OnceLock<String>>,
    /// Bytes of its log that were streamed.
    pub log_offset: tokio::sync::Mutex<usize>,
    pub stop: CancellationToken,
    pub services: Arc<Services>,
}

impl StepContext {
    /// The run's workspace; the first step on this worker checks it out.
    pub(crate) async fn workspace(&self) -> Result<PathBuf, Failure> {
        self.services.workspaces.open(self.step.run_id, self.step.workspace.as_ref()).await
    }

    /// Names the breaker target of the step: `http:api.example.com`. The step's result counts for its breaker. When the breaker is open,
    /// the handler must return this outcome.
    pub(crate) fn check_breaker(&self, target: &str) -> Option<Outcome> {
        drop(self.breaker_target.set(target.to_owned()));
        self.is_breaker_open(target).then(|| Outcome::BreakerOpen { target: target.to_owned() })
    }

    /// Whether the tenant's breaker of this target was open when the step was claimed.
    pub(crate) fn is_breaker_open(&self, target: &str) -> bool {
        self.step.open_breakers.iter().flatten().any(|open| open == target)
    }

    /// Retries errors that are not permanent until the step is stopped: an outage must not fail work that is done.
    pub(crate) async fn retry_until_stopped<T, E, F: Future<Output = Result<T, E>>>(
        &self,
        act: impl Fn() -> F,
        is_permanent: impl Fn(&E) -> bool,
    ) -> Result<T, E> {
        let mut wait = Duration::from_millis(100);
        loop {
            match act().await {
                Err(error) if !is_permanent(&error) && !self.stop.is_cancelled() => {
                    tokio::select! { () = tokio::time::sleep(wait) => {}, () = self.stop.cancelled() => {} }
                    wait = (wait * 2).min(Duration::from_secs(5));
                }
                result => return result,
            }
        }
    }
}
