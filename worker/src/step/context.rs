//! One step as its handler sees it: its row, its environment, and the services of the worker.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use chrono::{DateTime, Utc};
use nofx_shared::artifacts::Material;
use nofx_shared::drivers::Level;
use nofx_shared::engine::{ClaimedStep, Failure, Left, Outcome};
use nofx_shared::secrets::Mask;
use nofx_shared::telemetry::TraceParent;
use serde_json::{Map, Value};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::{Attempt, Services};
use crate::drivers::{Confinement, Place, Sandboxed};
use crate::egress::Grant;
use crate::workspace::{Access, Begun, Caller, Folder, Git};

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
    /// What held while its processes ran: its attempt, evidence and provenance have it.
    pub sandboxed: Arc<Mutex<Sandboxed>>,
    /// The step's span in its run's trace, the parent of its calls and processes.
    pub trace: Option<TraceParent>,
    /// The step's result counts for the breaker of this target: see `Attempt::check_breaker`.
    pub breaker_target: Arc<OnceLock<String>>,
    /// Its workspace, once it is opened.
    pub begun: OnceCell<Begun>,
    /// What the next steps begin with, unless it is what this one began with.
    pub left: Arc<OnceLock<Left>>,
    /// Bytes of its log that were streamed.
    pub log_offset: tokio::sync::Mutex<usize>,
    /// How its processes are confined.
    pub confinement: Confinement,
    /// Where they run.
    pub place: Place,
    /// The way out of its processes, with `network: proxy`.
    pub egress: Option<Arc<Grant>>,
    pub stop: CancellationToken,
    pub services: Arc<Services>,
}

impl StepContext {
    /// The run's workspace as the step's needs left it.
    pub(crate) async fn workspace(&self) -> Result<Folder, Failure> {
        Ok(self.begun().await?.folder().clone())
    }

    /// The same, and what it began with.
    pub(crate) async fn begun(&self) -> Result<&Begun, Failure> {
        self.begun.get_or_try_init(|| async { self.services.workspaces.begin(&self.access()).await }).await
    }

    /// After its handler: what the next steps begin with is what the step left, if it has succeeded.
    pub(crate) async fn leave_workspace(&mut self, result: Result<Outcome, Failure>) -> Result<Outcome, Failure> {
        // Nobody begins with what another outcome left.
        let Some(begun) = self.begun.take().filter(|_| matches!(result, Ok(Outcome::Done { .. }))) else { return result };
        if let Some(left) = self.services.workspaces.leave(begun, &self.access()).await? {
            drop(self.left.set(left));
        }
        result
    }

    fn access(&self) -> Access<'_> {
        Access { db: &self.services.db, storage: &self.services.storage, step: &self.step, caller: self.caller(), mask: &self.mask }
    }

    /// Git in a folder, as a program of this step, until the step is stopped.
    pub(crate) fn git<'a>(&self, folder: &'a Folder) -> Git<'a> {
        Git::new(self.caller(), folder)
    }

    /// Of git. It runs here, also for a step whose programs have a machine of their own: then as far confined as this host goes. Below the
    /// operator's minimum what an earlier step left in the workspace has no network: git that has one runs in repositories of its own.
    pub(crate) fn caller(&self) -> Caller {
        let level = self.services.isolation.offered_up_to(self.confinement.level);
        // Without Landlock nothing hides the others.
        let toolchains = self.confinement.toolchains.clone().filter(|_| level >= Some(Level::L2));
        Caller {
            processes: self.services.processes.clone(),
            confinement: Confinement { level, toolchains, ..self.confinement.clone() },
            networks: self.attempt().networks(),
            egress: self.egress.clone(),
            sandboxed: Arc::clone(&self.sandboxed),
            has_machine: matches!(self.place, Place::Machine(_)),
            is_folder_hostile: true,
            stop: self.stop.clone(),
        }
    }

    /// What held for its processes so far.
    pub(crate) fn sandboxed(&self) -> Sandboxed {
        self.sandboxed.lock().expect("the lock is never poisoned").clone()
    }

    /// What of it a tool sees that needs nothing of this machine.
    pub(crate) fn attempt(&self) -> Attempt<'_> {
        Attempt {
            step: &self.step,
            env: &self.env,
            idempotency_key: self.idempotency_key.as_deref(),
            allow_private_addresses: self.services.allow_private_addresses,
            breaker_target: &self.breaker_target,
        }
    }
}
