//! Child processes on this machine: their own group, an environment made from nothing, output up to a limit, killed whole.
#![expect(clippy::disallowed_methods, reason = "this is the driver")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use nofx_shared::engine::Failure;
use nofx_shared::settings;
use nofx_shared::telemetry::{self, TraceParent};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// What to run.
pub(crate) struct Command {
    pub argv: Vec<String>,
    pub dir: PathBuf,
    pub env: BTreeMap<String, String>,
    /// The step's; the process finds its own place in it in `TRACEPARENT`.
    pub trace: Option<TraceParent>,
    pub stop: CancellationToken,
    /// Most of what it prints that is kept; the rest is counted and dropped.
    pub keep_bytes: usize,
    /// Where it is kept, for whoever watches.
    pub printed: Printed,
}

/// What came of it.
pub(crate) struct Ended {
    /// None: killed by a signal.
    pub exit_code: Option<i32>,
    pub stdout: String,
    /// Standard output and error as they came.
    pub output: String,
    /// How much of what it printed was not kept.
    pub dropped_bytes: usize,
    /// What it wrote to `NOFX_OUTPUT`.
    pub written: Option<Vec<u8>>,
}

/// Starts processes, a limited number at once.
#[derive(Clone)]
pub(crate) struct Processes {
    turns: Arc<Semaphore>,
}

/// Kills the whole group when the step is dropped, whatever way it ends.
struct Group(Pid);

impl Drop for Group {
    fn drop(&mut self) {
        // No such group: all of it has ended.
        let _ = killpg(self.0, Signal::SIGKILL);
    }
}

/// What a process has printed so far.
#[derive(Clone, Default)]
pub(crate) struct Printed(Arc<Mutex<Collected>>);

impl Printed {
    /// All after so many bytes.
    pub(crate) async fn after(&self, bytes: usize) -> Vec<u8> {
        self.0.lock().await.all.get(bytes..).unwrap_or_default().to_vec()
    }
}

#[derive(Default)]
struct Collected {
    all: Vec<u8>,
    stdout: Vec<u8>,
    dropped: usize,
}

impl Processes {
    /// What of a step's output is kept as its log.
    pub(crate) const OUTPUT_BYTES: usize = 4 << 20;

    pub(crate) fn new(at_once: usize) -> Self {
        Self { turns: Arc::new(Semaphore::new(at_once.max(1))) }
    }

    /// Runs a command to its end, or until it is stopped: then its whole group is killed.
    pub(crate) async fn run(&self, command: Command) -> Result<Ended, Failure> {
        let program = command.argv.first().map(String::as_str).unwrap_or_default();
        let span = tracing::info_span!("process", otel.name = format!("process {program}"), process.executable.name = program);
        let trace = telemetry::current(&span, command.trace.as_ref());
        self.run_traced(command, trace).instrument(span).await
    }

    async fn run_traced(&self, command: Command, trace: Option<TraceParent>) -> Result<Ended, Failure> {
        let _turn = self.turns.acquire().await.map_err(|_| Failure::transient("the worker is stopping"))?;
        let scratch = tempdir()?;
        let written = scratch.0.join("output.json");
        let (program, arguments) = command.argv.split_first().ok_or_else(|| Failure::permanent("no program to run"))?;
        let mut child = tokio::process::Command::new(program)
            .args(arguments)
            .current_dir(&command.dir)
            .env_clear()
            .env("PATH", settings::path())
            .env("HOME", &scratch.0)
            .env("LANG", "C.UTF-8")
            .env("NOFX_OUTPUT", &written)
            // Nobody is there to answer: what would ask must fail instead.
            .env("NON_INTERACTIVE_MODE", "true")
            .env("GIT_TERMINAL_PROMPT", "0")
            .envs(trace.map(|trace| ("TRACEPARENT", trace.to_string())))
            .envs(&command.env)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Failure::permanent(format!("could not start `{program}`: {error}")))?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).ok_or_else(|| Failure::transient("the process ended at once"))?;
        let group = Group(Pid::from_raw(pid));
        let Printed(collected) = &command.printed;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let keep = command.keep_bytes;
        let reading = async { tokio::join!(collect(stdout, collected, keep, true), collect(stderr, collected, keep, false)) };
        let whole = async {
            let (status, _) = tokio::join!(child.wait(), reading);
            status
        };
        let status = tokio::select! {
            status = whole => Some(status.map_err(|error| Failure::transient(format!("could not wait for `{program}`: {error}")))?),
            () = command.stop.cancelled() => None,
        };
        drop(group);
        let collected = std::mem::take(&mut *collected.lock().await);
        let mut output = String::from_utf8_lossy(&collected.all).into_owned();
        if collected.dropped > 0 {
            output.push_str(&format!("\n[{} more bytes were dropped]\n", collected.dropped));
        }
        Ok(Ended {
            exit_code: status.and_then(|status| status.code()),
            stdout: String::from_utf8_lossy(&collected.stdout).into_owned(),
            output,
            dropped_bytes: collected.dropped,
            written: std::fs::read(&written).ok(),
        })
    }
}

async fn collect(pipe: Option<impl AsyncRead + Unpin>, into: &Mutex<Collected>, keep_bytes: usize, is_stdout: bool) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = vec![0; 16 << 10];
    // An error here is a pipe that broke: the process is gone.
    while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
        let mut collected = into.lock().await;
        let room = keep_bytes.saturating_sub(collected.all.len()).min(read);
        collected.all.extend_from_slice(&buffer[..room]);
        collected.dropped += read - room;
        if is_stdout {
            collected.stdout.extend_from_slice(&buffer[..room]);
        }
    }
}

/// A folder of the process's own, removed after it.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, path = %self.0.display(), "could not remove a scratch folder");
        }
    }
}

fn tempdir() -> Result<Scratch, Failure> {
    let path = std::env::temp_dir().join(format!("nofx-step-{}", uuid::Uuid::now_v7().simple()));
    std::fs::create_dir(&path).map_err(|error| Failure::transient(format!("could not create {}: {error}", path.display())))?;
    Ok(Scratch(path))
}
