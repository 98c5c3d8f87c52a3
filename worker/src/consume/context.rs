//! What a handler may reach of the world.

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

/// What all steps share.
pub(crate) struct Tools {
    pub db: Db,
    pub storage: Storage,
    pub secrets: SecretStore,
    pub forges: Forges,
    pub models: Models,
    pub workspaces: Workspaces,
    pub processes: Processes,
    pub allow_private_addresses: bool,
    /// This worker's name, and the digest of its image when it has one.
    pub worker: String,
    pub image: Option<String>,
    /// Told when a gate begins or ends: a forge may show it.
    pub checks: Notify,
    /// Told when events were written that hooks may want.
    pub hooks: Notify,
    /// Where people see runs, for links from elsewhere.
    pub public_url: Option<String>,
    /// Signs what steps make.
    pub signing_key: SigningKey,
}

/// One step's view: its row, its environment, and the tools.
pub(crate) struct StepContext {
    pub step: ClaimedStep,
    /// What the step's processes see: what it names, and nothing of the worker's own.
    pub env: BTreeMap<String, String>,
    /// The step's `idempotency_key`, its expressions resolved: for effects outside.
    pub idempotency_key: Option<String>,
    pub mask: Mask,
    /// Its inputs, expressions resolved and secrets masked: for statements of what it made.
    pub inputs: Value,
    pub began: DateTime<Utc>,
    /// What it worked with besides: artifacts that it fetched, answers of models.
    pub materials: Mutex<Vec<Material>>,
    /// What else is to be known of how it worked: which model answered, …
    pub facts: Mutex<Map<String, Value>>,
    /// The step's place in its run's trace, for what it calls and starts.
    pub trace: Option<TraceParent>,
    /// What it depends on outside: see `depends_on`.
    pub provider: Arc<OnceLock<String>>,
    /// How much of what it printed was sent on, in bytes.
    pub logged: tokio::sync::Mutex<usize>,
    pub stop: CancellationToken,
    pub tools: Arc<Tools>,
}

impl StepContext {
    /// The run's files, checked out unless they are here already.
    pub(crate) async fn workspace(&self) -> Result<PathBuf, Failure> {
        self.tools.workspaces.open(self.step.run_id, self.step.workspace.as_ref()).await
    }

    /// Says what the step depends on outside: `http:api.example.com`. What comes of the step speaks for or against that. When its
    /// breaker is open, this is what the handler is to return.
    pub(crate) fn depends_on(&self, target: &str) -> Option<Outcome> {
        drop(self.provider.set(target.to_owned()));
        self.is_shut(target).then(|| Outcome::BreakerOpen { target: target.to_owned() })
    }

    /// Whether a breaker of its tenant was open when the step was claimed.
    pub(crate) fn is_shut(&self, target: &str) -> bool {
        self.step.open_breakers.iter().flatten().any(|shut| shut == target)
    }

    /// Tries again while what it asks is away: the work is done, only its keeping waits. Gives up when the step is stopped.
    pub(crate) async fn insist<T, E, F: Future<Output = Result<T, E>>>(
        &self,
        act: impl Fn() -> F,
        is_hopeless: impl Fn(&E) -> bool,
    ) -> Result<T, E> {
        let mut wait = Duration::from_millis(100);
        loop {
            match act().await {
                Err(error) if !is_hopeless(&error) && !self.stop.is_cancelled() => {
                    tokio::select! { () = tokio::time::sleep(wait) => {}, () = self.stop.cancelled() => {} }
                    wait = (wait * 2).min(Duration::from_secs(5));
                }
                result => return result,
            }
        }
    }
}
