//! What a process prints, up to a limit.

use nofx_shared::drivers::{Enforced, Usage};
use nofx_shared::secrets::Mask;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::Mutex;

use super::{Command, LeftHome};

/// Most bytes of `NOFX_OUTPUT`: what a step's outputs may have.
pub(super) const WRITTEN_BYTES: u64 = 256 << 10;
/// How much of the end of standard error is kept at least: its last lines say why a process failed, also when its log is full.
const STDERR_BYTES: usize = 128 << 10;

#[derive(Default)]
pub(crate) struct ProcessResult {
    /// None: killed by a signal.
    pub exit_code: Option<i32>,
    /// What it used too much of, which it was killed for.
    pub excess: Option<String>,
    pub stdout: String,
    /// The end of standard error.
    pub stderr: String,
    /// Standard output and error, in order of arrival.
    pub output: String,
    /// Bytes of output that were dropped.
    pub dropped_bytes: usize,
    /// The content of the file `NOFX_OUTPUT`, or why it is none.
    pub written: Option<Result<Vec<u8>, String>>,
    /// What was enforced while it ran; none: nothing.
    pub enforced: Option<Enforced>,
    /// What it and its descendants used; none: unknown.
    pub usage: Option<Usage>,
    /// Its home, when a home was made for it.
    pub home: Option<LeftHome>,
}

impl ProcessResult {
    /// How a process that has no exit code has ended, after its name.
    pub(crate) fn death(&self) -> &str {
        self.excess.as_deref().unwrap_or("was killed by a signal")
    }
}

/// The whole output of a process, up to its limit.
#[derive(Default)]
pub(super) struct Output {
    all: Vec<u8>,
    stdout: Vec<u8>,
    /// The last bytes of standard error, at most twice `STDERR_BYTES`.
    stderr: Vec<u8>,
    is_stderr_cut: bool,
    dropped: usize,
}

impl Output {
    /// Reads both streams to their ends.
    pub(super) async fn collect(
        output: &Mutex<Self>,
        stdout: Option<impl AsyncRead + Unpin>,
        stderr: Option<impl AsyncRead + Unpin>,
        command: &Command,
    ) {
        tokio::join!(Self::stream(output, stdout, command, true), Self::stream(output, stderr, command, false));
    }

    async fn stream(output: &Mutex<Self>, pipe: Option<impl AsyncRead + Unpin>, command: &Command, is_stdout: bool) {
        let Some(mut pipe) = pipe else { return };
        let mut chunk = vec![0; 16 << 10];
        // An error is a broken pipe: the process has ended.
        while let Ok(read @ 1..) = pipe.read(&mut chunk).await {
            command.live_output.push(&chunk[..read]);
            output.lock().await.push(&chunk[..read], command.max_output_bytes, is_stdout);
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8], max_bytes: usize, is_stdout: bool) {
        let taken = max_bytes.saturating_sub(self.all.len()).min(bytes.len());
        self.all.extend_from_slice(&bytes[..taken]);
        self.dropped += bytes.len() - taken;
        if is_stdout {
            self.stdout.extend_from_slice(&bytes[..taken]);
            return;
        }
        self.stderr.extend_from_slice(bytes);
        let surplus = self.stderr.len().saturating_sub(STDERR_BYTES);
        if surplus >= STDERR_BYTES {
            self.stderr.drain(..surplus);
            self.is_stderr_cut = true;
        }
    }

    /// As text; where it was cut without any part of a secret.
    pub(super) fn result(self, mask: &Mask) -> ProcessResult {
        let (mut output, mut stdout, mut stderr) = (text(self.all), text(self.stdout), text(self.stderr));
        if self.dropped > 0 {
            let all = output.len() + self.dropped;
            output = mask.trim_cut_end(&output).to_owned();
            output.push_str(&format!("\n[{} more bytes were dropped]\n", all - output.len()));
            stdout = mask.trim_cut_end(&stdout).to_owned();
        }
        if self.is_stderr_cut {
            stderr = mask.trim_cut_start(&stderr).to_owned();
        }
        ProcessResult { stdout, stderr, output, dropped_bytes: self.dropped, ..ProcessResult::default() }
    }
}

/// Without a copy, unless it is no text.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use nofx_shared::secrets::Mask;

    use super::{Output, STDERR_BYTES};

    #[test]
    fn output_that_is_cut_has_no_part_of_a_secret_at_the_cut() {
        let mask = Mask::new(["hunter2-hunter2".to_owned()]);
        let cut = |dropped| Output {
            all: b"first\nkey: hunter2-hun".to_vec(),
            stdout: b"key: hunter2-hun".to_vec(),
            stderr: b"er2-hunter2 it was\nlast\n".to_vec(),
            is_stderr_cut: dropped > 0,
            dropped,
        };
        let result = cut(5).result(&mask);
        assert_eq!((result.output.as_str(), result.stdout.as_str()), ("fir\n[24 more bytes were dropped]\n", ""));
        assert_eq!((result.stderr.as_str(), result.dropped_bytes), ("last\n", 5));
        let whole = cut(0).result(&mask);
        assert_eq!((whole.output.as_str(), whole.stderr.as_str()), ("first\nkey: hunter2-hun", "er2-hunter2 it was\nlast\n"));
    }

    #[test]
    fn large_output_is_not_copied() {
        let bytes = b"large".to_vec();
        let at = bytes.as_ptr();
        let result = Output { all: bytes, ..Output::default() }.result(&Mask::default());
        assert_eq!((result.output.as_str(), result.output.as_ptr()), ("large", at));
        let broken = Output { all: b"a\xff".to_vec(), ..Output::default() }.result(&Mask::default());
        assert_eq!(broken.output, "a\u{fffd}");
    }

    #[test]
    fn what_a_process_used_too_much_of_says_why_it_ended() {
        let result = |excess: Option<&str>| super::ProcessResult { excess: excess.map(str::to_owned), ..Default::default() };
        assert_eq!(result(None).death(), "was killed by a signal");
        assert_eq!(result(Some("used more than 16 MiB of memory")).death(), "used more than 16 MiB of memory");
    }

    #[test]
    fn the_end_of_standard_error_stays_when_the_log_is_full() {
        let mut output = Output::default();
        output.push(b"full", 4, true);
        for _ in 0..5 {
            output.push(&vec![b'x'; STDERR_BYTES], 4, false);
        }
        output.push(b"\nwhy", 4, false);
        assert!(output.is_stderr_cut && output.stderr.len() < 2 * STDERR_BYTES && output.stderr.ends_with(b"\nwhy"));
        assert_eq!((output.all.as_slice(), output.dropped), (b"full".as_slice(), 5 * STDERR_BYTES + 4));
    }
}
