//! Processes on this machine, a limited number at once. How they are started is decided by who asks: a worker's are confined by its
//! supervisor, those of a person's command are that person's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nofx_sandbox::{Files, Sandbox};
use nofx_shared::drivers::Level;
use nofx_shared::engine::Failure;
use nofx_shared::secrets::Mask;
use nofx_shared::telemetry::{self, TraceParent};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::confinement::Confinement;
use super::scratch::Scratch;
use super::{LiveOutput, ProcessResult, confined, own};
use crate::egress::Grant;

pub(crate) struct Command {
    pub argv: Vec<String>,
    pub dir: PathBuf,
    pub env: BTreeMap<String, String>,
    pub confinement: Confinement,
    /// The way out for `Network::Proxy`.
    pub egress: Option<Arc<Grant>>,
    /// The step's; the process gets its own span in `TRACEPARENT`.
    pub trace: Option<TraceParent>,
    pub stop: CancellationToken,
    /// Output beyond this many bytes is counted and dropped.
    pub max_output_bytes: usize,
    /// The output as it arrives, for people who watch.
    pub live_output: LiveOutput,
    /// Where output is cut, no part of these secrets stays: it would no longer be found.
    pub mask: Mask,
}

/// Runs processes, and opens files in the folders where they run.
#[derive(Clone)]
pub(crate) struct Processes {
    permits: Arc<Semaphore>,
    /// Who confines them, and the operator's minimum. None: processes are this user's own.
    sandbox: Option<(Sandbox, Level)>,
}

impl Processes {
    /// Largest log of a step.
    pub(crate) const OUTPUT_BYTES: usize = 4 << 20;

    /// Of a worker: confined.
    pub(crate) fn confined(max_concurrent: usize, sandbox: Sandbox, floor: Level) -> Self {
        Self { permits: Arc::new(Semaphore::new(max_concurrent.max(1))), sandbox: Some((sandbox, floor)) }
    }

    /// Of a person's command: the person's own, one at a time.
    pub(crate) fn own() -> Self {
        Self { permits: Arc::new(Semaphore::new(1)), sandbox: None }
    }

    /// Runs a command until it ends or is stopped: then it is killed with all of its descendants.
    pub(crate) async fn run(&self, mut command: Command) -> Result<ProcessResult, Failure> {
        let program = command.argv.first().cloned().ok_or_else(|| Failure::permanent("no program to run"))?;
        let span = tracing::info_span!("process", otel.name = format!("process {program}"), process.executable.name = program);
        let trace = telemetry::current(&span, command.trace.as_ref());
        command.env = environment(command.env, trace);
        let run = async {
            let _permit = self.permits.acquire().await.map_err(|_| Failure::transient("the worker is stopping"))?;
            match &self.sandbox {
                Some((sandbox, _)) => confined::run(sandbox, &command).await,
                None => own::run(&command).await,
            }
        };
        run.instrument(span).await
    }

    /// How git is confined here.
    pub(crate) fn of_git(&self) -> Confinement {
        self.sandbox.as_ref().map_or(Confinement::NONE, |(_, floor)| Confinement::of_git(*floor))
    }

    /// What is below a folder where processes run. Its calls may wait for a disk: not for the loop's thread.
    pub(crate) fn files(&self, folder: &Path) -> Result<Files, Failure> {
        let failed = |error| Failure::permanent(format!("could not open {}: {error}", folder.display()));
        match &self.sandbox {
            Some((sandbox, _)) => Ok(sandbox.files(folder)),
            None => Files::own(folder).map_err(failed),
        }
    }

    /// A temporary folder for processes that also run in this folder; without one, of a user that has nothing else.
    pub(crate) async fn scratch(&self, like: Option<&Path>) -> Result<Scratch, Failure> {
        match &self.sandbox {
            Some((sandbox, _)) => Scratch::confined(sandbox.clone(), like.map(Path::to_owned)).await,
            None => Scratch::own(),
        }
    }
}

/// The whole environment of a process, but for the folders that its driver makes.
fn environment(own: BTreeMap<String, String>, trace: Option<TraceParent>) -> BTreeMap<String, String> {
    let mut all = BTreeMap::from([("PATH".to_owned(), nofx_shared::settings::path()), ("LANG".to_owned(), "C.UTF-8".to_owned())]);
    all.extend(trace.map(|trace| ("TRACEPARENT".to_owned(), trace.to_string())));
    all.extend(own);
    // No one could answer a prompt: programs must fail instead, whatever a plan says.
    all.extend([("NON_INTERACTIVE_MODE", "true"), ("GIT_TERMINAL_PROMPT", "0")].map(|(name, value)| (name.to_owned(), value.to_owned())));
    all
}
