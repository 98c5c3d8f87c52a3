//! A process of the person who gave the command, with that person's rights: its own process group, which is killed as a whole, and an
//! environment that starts empty.
#![expect(clippy::disallowed_methods, reason = "this is the driver")]

use std::process::Stdio;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use nofx_shared::engine::Failure;
use tokio::sync::Mutex;

use super::output::Output;
use super::scratch::Scratch;
use super::{Command, ProcessResult, WRITTEN_BYTES};

/// Kills the whole group when it is dropped, whichever way the step ends.
struct Group(Pid);

impl Drop for Group {
    fn drop(&mut self) {
        // It fails when all processes of the group have ended.
        let _ = killpg(self.0, Signal::SIGKILL);
    }
}

pub(super) async fn run(command: &Command) -> Result<ProcessResult, Failure> {
    let scratch = Scratch::own()?;
    let (mut argv, script) = command.executable.parts();
    if let Some(text) = script {
        let path = scratch.path().join("script");
        std::fs::write(&path, text).map_err(|error| Failure::transient(format!("could not write the script: {error}")))?;
        argv.push(path.to_string_lossy().into_owned());
    }
    let [program, arguments @ ..] = argv.as_slice() else { return Err(Failure::permanent("no program to run")) };
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .current_dir(&command.dir)
        .env_clear()
        .env("HOME", scratch.path())
        .envs(&command.env)
        .env("NOFX_OUTPUT", scratch.path().join("output.json"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Failure::permanent(format!("could not start `{program}`: {error}")))?;
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).ok_or_else(|| Failure::transient("the process exited immediately"))?;
    let group = Group(Pid::from_raw(pid));
    let output = Mutex::new(Output::default());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let whole = async {
        let (status, ()) = tokio::join!(child.wait(), Output::collect(&output, stdout, stderr, command));
        status
    };
    let status = tokio::select! {
        status = whole => Some(status.map_err(|error| Failure::transient(format!("could not wait for `{program}`: {error}")))?),
        () = command.stop.cancelled() => None,
    };
    drop(group);
    let written = scratch.files().and_then(|files| files.read("output.json", WRITTEN_BYTES).map_err(Failure::permanent));
    Ok(ProcessResult {
        exit_code: status.and_then(|status| status.code()),
        written: written.map_err(|failure| failure.message).transpose(),
        ..output.into_inner().result(&command.mask)
    })
}
