//! A signal for all processes of a user at one instant, which only a process of that user can send: this program, started for it.
#![expect(clippy::disallowed_methods, reason = "starts itself as the user")]

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::launch::refuse_privileges;
use crate::program::{PROGRAM, SIGNALLER};

/// Sends the signal, unless a process of the user ends that which sends it.
pub(super) fn signal_user(uid: u32, signal: Signal) {
    let mut command = Command::new(PROGRAM);
    command.arg0(SIGNALLER).arg((signal as i32).to_string()).env_clear().current_dir("/").uid(uid).gid(uid);
    // What it could say nobody reads: the processes are looked at again.
    drop(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status());
}

/// The work of the process that is started: sends the signal of its argument to all processes of its user but itself.
pub(crate) fn signal_own_user(mut arguments: impl Iterator<Item = OsString>) -> Result<(), String> {
    // Of root these would be all processes of the machine.
    refuse_privileges().map_err(|error| error.to_string())?;
    let number = arguments.next().and_then(|number| number.to_str()?.parse::<i32>().ok()).ok_or("no number of a signal")?;
    let signal = Signal::try_from(number).map_err(|error| error.to_string())?;
    // Every process may send SIGCONT to all of its session, whosever they are: a worker that was stopped would go on.
    nix::unistd::setsid().map_err(|error| error.to_string())?;
    kill(Pid::from_raw(-1), signal).map_err(|error| error.to_string())
}
