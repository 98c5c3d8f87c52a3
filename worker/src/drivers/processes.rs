//! Where all programs of steps start. Those on this machine are a limited number at once; how they are started is decided by who asks: a
//! worker's are confined by its supervisor, those of a person's command are that person's. Those of a step with a machine of its own run
//! there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::FutureExt;
use nofx_sandbox::{Files, Program, Sandbox};
use nofx_shared::drivers::Level;
use nofx_shared::engine::Failure;
use nofx_shared::secrets::Mask;
use nofx_shared::telemetry::{self, TraceParent};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::confined::Started;
use super::confinement::Confinement;
use super::machine::{self, Place};
use super::scratch::Scratch;
use super::{Executable, Home, LiveOutput, ProcessResult, confined, own};
use crate::egress::Grant;

pub(crate) struct Command {
    pub executable: Executable,
    /// The folder that a machine of the step's own gets, whole: the workspace.
    pub root: PathBuf,
    /// Where it runs: `root`, or below it.
    pub dir: PathBuf,
    pub env: BTreeMap<String, String>,
    pub place: Place,
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
    /// Who confines them, and the level of the worker's own programs; without one (`NOFX_ISOLATION=none`) not at all. None: processes are this
    /// user's own.
    sandbox: Option<(Sandbox, Option<Level>)>,
}

impl Processes {
    /// Largest log of a step.
    pub(crate) const OUTPUT_BYTES: usize = 4 << 20;

    /// Of a worker: confined. `own_level`: of what it runs over a workspace for itself.
    pub(crate) fn confined(max_concurrent: usize, sandbox: Sandbox, own_level: Option<Level>) -> Self {
        Self { permits: Arc::new(Semaphore::new(max_concurrent.max(1))), sandbox: Some((sandbox, own_level)) }
    }

    /// Of a person's command: the person's own, one at a time.
    pub(crate) fn own() -> Self {
        Self { permits: Arc::new(Semaphore::new(1)), sandbox: None }
    }

    /// Runs a command until it ends or is stopped: then it is killed with all of its descendants.
    pub(crate) async fn run(&self, command: Command) -> Result<ProcessResult, Failure> {
        self.run_in(None, command).await
    }

    /// The same with a home that was made for it (`home`); without one it has a new one.
    pub(crate) async fn run_in(&self, home: Option<Home>, mut command: Command) -> Result<ProcessResult, Failure> {
        let program = command.executable.program().map(str::to_owned).ok_or_else(|| Failure::permanent("no program to run"))?;
        let span = tracing::info_span!("process", otel.name = format!("process {program}"), process.executable.name = program);
        let trace = telemetry::current(&span, command.trace.as_ref());
        let run = async {
            if let Place::Machine(own) = command.place.clone() {
                command.env = environment(None, command.env, trace);
                // A future of its own: it is large.
                return machine::run(&own, self, &command).boxed().await;
            }
            command.env = environment(Some(nofx_shared::settings::path()), command.env, trace);
            let _permit = self.permit().await?;
            self.run_here(home, &command).await
        };
        run.instrument(span).await
    }

    /// Runs a command of the worker's own, that does not wait until the programs of steps leave room.
    pub(crate) async fn run_now(&self, mut command: Command) -> Result<ProcessResult, Failure> {
        command.env = environment(Some(nofx_shared::settings::path()), command.env, None);
        self.run_here(None, &command).await
    }

    async fn run_here(&self, home: Option<Home>, command: &Command) -> Result<ProcessResult, Failure> {
        match &self.sandbox {
            Some((sandbox, _)) => confined::run(sandbox, command, home).await,
            None => own::run(command).await,
        }
    }

    /// The home of a process that will run in this folder, so that something can be put into it; none for a person's own.
    pub(crate) async fn home(&self, dir: &Path) -> Option<Home> {
        let (sandbox, dir) = (self.sandbox.as_ref()?.0.clone(), dir.to_owned());
        let made = tokio::task::spawn_blocking(move || sandbox.prepare_scratch(dir).map(|path| Home::new(sandbox, path))).await;
        let made = made.map_err(|error| error.to_string()).flatten();
        made.inspect_err(|why| tracing::warn!(why, "no home was made for a process")).ok()
    }

    /// Starts a program that moves files between a folder and a machine: as the user of the folder, without a network. `file_mb`: the size
    /// of a file, in MiB. The permit is held until it has ended.
    pub(super) async fn start_mover(
        &self,
        argv: Vec<String>,
        dir: PathBuf,
        file_mb: u64,
    ) -> Result<(Started, OwnedSemaphorePermit), Failure> {
        let Some((sandbox, own_level)) = &self.sandbox else { return Err(Failure::permanent("only a worker's steps have machines")) };
        let permit = self.permit().await?;
        let Confinement { level, limits, network, toolchains } = Confinement::of_mover(*own_level, file_mb);
        let env = environment(Some(nofx_shared::settings::path()), BTreeMap::new(), None);
        let program =
            Program { argv, script: None, dir, env, level, limits, network, proxy_port: None, bridge: None, toolchains, scratch: None };
        let started = confined::start(sandbox, program).await?;
        Ok((started, permit))
    }

    /// Who starts them; none: this process.
    pub(super) fn supervisor(&self) -> Option<&Sandbox> {
        self.sandbox.as_ref().map(|(sandbox, _)| sandbox)
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, Failure> {
        Arc::clone(&self.permits).acquire_owned().await.map_err(|_| Failure::transient("the worker is stopping"))
    }

    /// How a program is confined that the worker runs in a workspace for itself.
    pub(crate) fn of_worker(&self) -> Confinement {
        self.sandbox.as_ref().map_or(Confinement::NONE, |(_, own_level)| Confinement::of_worker(*own_level))
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

/// The whole environment of a process, but for the folders that its driver makes, and a `path` that its machine has itself.
fn environment(path: Option<String>, own: BTreeMap<String, String>, trace: Option<TraceParent>) -> BTreeMap<String, String> {
    let mut all = BTreeMap::from([("LANG".to_owned(), "C.UTF-8".to_owned())]);
    all.extend(path.map(|path| ("PATH".to_owned(), path)));
    all.extend(trace.map(|trace| ("TRACEPARENT".to_owned(), trace.to_string())));
    all.extend(own);
    // No one could answer a prompt: programs must fail instead, whatever a plan says.
    all.extend([("NON_INTERACTIVE_MODE", "true"), ("GIT_TERMINAL_PROMPT", "0")].map(|(name, value)| (name.to_owned(), value.to_owned())));
    all
}
