//! Child processes on this machine: each has its own process group, which is killed as a whole, an environment that starts empty, and a
//! limit of output.
#![expect(clippy::disallowed_methods, reason = "this is the driver")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use nofx_shared::drivers::{Enforced, Usage};
use nofx_shared::engine::Failure;
use nofx_shared::secrets::Mask;
use nofx_shared::settings;
use nofx_shared::telemetry::{self, TraceParent};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::LiveOutput;
use super::scratch::Scratch;

pub(crate) struct Command {
    pub argv: Vec<String>,
    pub dir: PathBuf,
    pub env: BTreeMap<String, String>,
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

pub(crate) struct ProcessResult {
    /// None: killed by a signal.
    pub exit_code: Option<i32>,
    pub stdout: String,
    /// The end of standard error.
    pub stderr: String,
    /// Standard output and error, in order of arrival.
    pub output: String,
    /// Bytes of output that were dropped.
    pub dropped_bytes: usize,
    /// The content of the file `NOFX_OUTPUT`.
    pub written: Option<Vec<u8>>,
    /// What the driver enforced; none where it enforces nothing.
    pub enforced: Option<Enforced>,
    /// What the process used; none where the driver does not measure it.
    pub usage: Option<Usage>,
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

/// The whole output of a process, up to its limit.
#[derive(Default)]
struct Buffers {
    all: Vec<u8>,
    stdout: Vec<u8>,
    /// The last bytes of standard error, at most twice `STDERR_BYTES`.
    stderr: Vec<u8>,
    is_stderr_cut: bool,
    dropped: usize,
}

impl Processes {
    /// Largest log of a step.
    pub(crate) const OUTPUT_BYTES: usize = 4 << 20;
    /// How much of the end of standard error is kept at least: its last lines say why a process failed, also when its log is full.
    const STDERR_BYTES: usize = 128 << 10;

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
        let scratch = Scratch::new("step")?;
        let written = scratch.path().join("output.json");
        let (program, arguments) = command.argv.split_first().ok_or_else(|| Failure::permanent("no program to run"))?;
        let mut child = tokio::process::Command::new(program)
            .args(arguments)
            .current_dir(&command.dir)
            .env_clear()
            .env("PATH", settings::path())
            .env("HOME", scratch.path())
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
        let buffers = Mutex::new(Buffers::default());
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let reading = async { tokio::join!(collect(stdout, &buffers, &command, true), collect(stderr, &buffers, &command, false)) };
        let whole = async {
            let (status, _) = tokio::join!(child.wait(), reading);
            status
        };
        let status = tokio::select! {
            status = whole => Some(status.map_err(|error| Failure::transient(format!("could not wait for `{program}`: {error}")))?),
            () = command.stop.cancelled() => None,
        };
        drop(group);
        let buffers = buffers.into_inner();
        Ok(buffers.result(&command.mask, status.and_then(|status| status.code()), std::fs::read(&written).ok()))
    }
}

impl Buffers {
    fn result(self, mask: &Mask, exit_code: Option<i32>, written: Option<Vec<u8>>) -> ProcessResult {
        let (mut output, mut stdout, mut stderr) = (text(&self.all), text(&self.stdout), text(&self.stderr));
        if self.dropped > 0 {
            let all = output.len() + self.dropped;
            output = mask.trim_cut_end(&output).to_owned();
            output.push_str(&format!("\n[{} more bytes were dropped]\n", all - output.len()));
            stdout = mask.trim_cut_end(&stdout).to_owned();
        }
        if self.is_stderr_cut {
            stderr = mask.trim_cut_start(&stderr).to_owned();
        }
        ProcessResult { exit_code, stdout, stderr, output, dropped_bytes: self.dropped, written, enforced: None, usage: None }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

async fn collect(pipe: Option<impl AsyncRead + Unpin>, buffers: &Mutex<Buffers>, command: &Command, is_stdout: bool) {
    let Some(mut pipe) = pipe else { return };
    let mut chunk = vec![0; 16 << 10];
    // An error is a broken pipe: the process has ended.
    while let Ok(read @ 1..) = pipe.read(&mut chunk).await {
        let mut buffers = buffers.lock().await;
        command.live_output.push(&chunk[..read]);
        let taken = command.max_output_bytes.saturating_sub(buffers.all.len()).min(read);
        buffers.all.extend_from_slice(&chunk[..taken]);
        buffers.dropped += read - taken;
        if is_stdout {
            buffers.stdout.extend_from_slice(&chunk[..taken]);
        } else {
            buffers.stderr.extend_from_slice(&chunk[..read]);
            let surplus = buffers.stderr.len().saturating_sub(Processes::STDERR_BYTES);
            if surplus >= Processes::STDERR_BYTES {
                buffers.stderr.drain(..surplus);
                buffers.is_stderr_cut = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use nofx_shared::secrets::Mask;

    use super::Buffers;

    #[test]
    fn output_that_is_cut_has_no_part_of_a_secret_at_the_cut() {
        let mask = Mask::new(["hunter2-hunter2".to_owned()]);
        let cut = |dropped| Buffers {
            all: b"first\nkey: hunter2-hun".to_vec(),
            stdout: b"key: hunter2-hun".to_vec(),
            stderr: b"er2-hunter2 it was\nlast\n".to_vec(),
            is_stderr_cut: dropped > 0,
            dropped,
        };
        let result = cut(5).result(&mask, None, None);
        assert_eq!((result.output.as_str(), result.stdout.as_str()), ("first\n\n[21 more bytes were dropped]\n", "ke"));
        assert_eq!((result.stderr.as_str(), result.dropped_bytes), ("last\n", 5));
        let whole = cut(0).result(&mask, Some(0), None);
        assert_eq!((whole.output.as_str(), whole.stderr.as_str()), ("first\nkey: hunter2-hun", "er2-hunter2 it was\nlast\n"));
    }
}
