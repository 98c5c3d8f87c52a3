//! Child processes on this machine: each has its own process group, which is killed as a whole, an environment that starts empty, and a
//! limit of output.
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

pub(crate) struct Command {
    pub argv: Vec<String>,
    pub dir: PathBuf,
    pub env: BTreeMap<String, String>,
    /// The step's; the process gets its own span in `TRACEPARENT`.
    pub trace: Option<TraceParent>,
    pub stop: CancellationToken,
    /// Output beyond this many bytes is counted and dropped.
    pub max_output_bytes: usize,
    /// The output while the process runs, for its log.
    pub live_output: LiveOutput,
}

pub(crate) struct ProcessResult {
    /// None: killed by a signal.
    pub exit_code: Option<i32>,
    pub stdout: String,
    /// Standard output and error, in order of arrival.
    pub output: String,
    /// Bytes of output that were dropped.
    pub dropped_bytes: usize,
    /// The content of the file `NOFX_OUTPUT`.
    pub written: Option<Vec<u8>>,
}

/// Runs processes, a limited number at once.
#[derive(Clone)]
pub(crate) struct Processes {
    permits: Arc<Semaphore>,
}

/// Kills the whole group when it is dropped, whichever way the step ends.
struct Group(Pid);

impl Drop for Group {
    fn drop(&mut self) {
        // It fails when all processes of the group have ended.
        let _ = killpg(self.0, Signal::SIGKILL);
    }
}

/// The output of a process so far.
#[derive(Clone, Default)]
pub(crate) struct LiveOutput(Arc<Mutex<Buffers>>);

impl LiveOutput {
    /// The output after an offset in bytes.
    pub(crate) async fn after(&self, bytes: usize) -> Vec<u8> {
        self.0.lock().await.all.get(bytes..).unwrap_or_default().to_vec()
    }
}

#[derive(Default)]
struct Buffers {
    all: Vec<u8>,
    stdout: Vec<u8>,
    dropped: usize,
}

impl Processes {
    /// Largest log of a step.
    pub(crate) const OUTPUT_BYTES: usize = 4 << 20;

    pub(crate) fn new(max_concurrent: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(max_concurrent.max(1))) }
    }

    /// Runs a command until it ends or is stopped: then its whole group is killed.
    pub(crate) async fn run(&self, command: Command) -> Result<ProcessResult, Failure> {
        let program = command.argv.first().map(String::as_str).unwrap_or_default();
        let span = tracing::info_span!("process", otel.name = format!("process {program}"), process.executable.name = program);
        let trace = telemetry::current(&span, command.trace.as_ref());
        self.run_traced(command, trace).instrument(span).await
    }

    async fn run_traced(&self, command: Command, trace: Option<TraceParent>) -> Result<ProcessResult, Failure> {
        let _permit = self.permits.acquire().await.map_err(|_| Failure::transient("the worker is stopping"))?;
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
            .envs(trace.map(|trace| ("TRACEPARENT", trace.to_string())))
            .envs(&command.env)
            // No one could answer a prompt: programs must fail instead, whatever a plan says.
            .env("NON_INTERACTIVE_MODE", "true")
            .env("GIT_TERMINAL_PROMPT", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Failure::permanent(format!("could not start `{program}`: {error}")))?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).ok_or_else(|| Failure::transient("the process exited immediately"))?;
        let group = Group(Pid::from_raw(pid));
        let LiveOutput(buffers) = &command.live_output;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let limit = command.max_output_bytes;
        let reading = async { tokio::join!(collect(stdout, buffers, limit, true), collect(stderr, buffers, limit, false)) };
        let whole = async {
            let (status, _) = tokio::join!(child.wait(), reading);
            status
        };
        let status = tokio::select! {
            status = whole => Some(status.map_err(|error| Failure::transient(format!("could not wait for `{program}`: {error}")))?),
            () = command.stop.cancelled() => None,
        };
        drop(group);
        let buffers = std::mem::take(&mut *buffers.lock().await);
        let mut output = String::from_utf8_lossy(&buffers.all).into_owned();
        if buffers.dropped > 0 {
            output.push_str(&format!("\n[{} more bytes were dropped]\n", buffers.dropped));
        }
        Ok(ProcessResult {
            exit_code: status.and_then(|status| status.code()),
            stdout: String::from_utf8_lossy(&buffers.stdout).into_owned(),
            output,
            dropped_bytes: buffers.dropped,
            written: std::fs::read(&written).ok(),
        })
    }
}

async fn collect(pipe: Option<impl AsyncRead + Unpin>, buffers: &Mutex<Buffers>, max_bytes: usize, is_stdout: bool) {
    let Some(mut pipe) = pipe else { return };
    let mut chunk = vec![0; 16 << 10];
    // An error is a broken pipe: the process has ended.
    while let Ok(read @ 1..) = pipe.read(&mut chunk).await {
        let mut buffers = buffers.lock().await;
        let taken = max_bytes.saturating_sub(buffers.all.len()).min(read);
        buffers.all.extend_from_slice(&chunk[..taken]);
        buffers.dropped += read - taken;
        if is_stdout {
            buffers.stdout.extend_from_slice(&chunk[..taken]);
        }
    }
}

/// A temporary folder for one process, removed when it ends.
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
