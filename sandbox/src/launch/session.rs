//! What of a process is neither a right nor a limit: its session, its mask, its folder.

use std::path::Path;

use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{chdir, getpid, getsid, setsid};

use super::error::Error;

const NICENESS: i32 = 10;
/// A third of what another session has.
const SESSION_NICENESS: &str = "5";
const SESSION_PRIORITY: &str = "/proc/self/autogroup";

/// Until it is confined, the helper is a process of the program's user whose memory other processes of that user could write: they would get
/// out through it. `exec` ends this.
pub(super) fn protect_memory() -> Result<(), Error> {
    prctl::set_dumpable(false).map_err(|errno| Error::System("protect the helper's memory", errno.into()))
}

/// A session of its own has no terminal, and signals to the group of the parent do not reach it.
pub(super) fn own_session() -> Result<(), Error> {
    let error = |errno: nix::errno::Errno| Error::System("start a session (the helper must not lead a process group)", errno.into());
    if getsid(None).map_err(error)? != getpid() {
        setsid().map_err(error)?;
    }
    Ok(())
}

/// To be called in a session of its own, and before the memory is protected or as root: only then may the session's priority be written.
///
/// Where time of the processor is short, the worker, the supervisor and the keepers have theirs before programs of steps: a tenth of what each
/// of those has is left to one of these. No program without rights gets back from there.
pub(super) fn yield_to_others() -> Result<(), Error> {
    let error = |errno: rustix::io::Errno| Error::System("lower the priority", errno.into());
    let now = rustix::process::getpriority_process(None).map_err(error)?;
    // Outside of control groups each session is scheduled as one, and what is nice within it changes nothing. The kernel takes this from
    // processes without rights ten times a second, all of them together; where it has no such groups, there is no such file.
    drop(std::fs::write(SESSION_PRIORITY, SESSION_NICENESS));
    rustix::process::setpriority_process(None, now.max(NICENESS)).map_err(error)
}

/// The program is killed when its parent's thread ends, so that it is never left to nobody. What it started itself is not.
pub(super) fn die_with_parent() -> Result<(), Error> {
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(|errno| Error::System("be killed with the parent", errno.into()))
}

/// 027: the user's group has no other member, and others read nothing that the program writes outside of its folders, as L1 allows in
/// `/tmp`. Not 077, since archives that are built with it are unreadable for whoever unpacks them in a group.
pub(super) fn mask() {
    umask(Mode::S_IWGRP | Mode::S_IRWXO);
}

pub(super) fn enter(dir: &Path) -> Result<(), Error> {
    chdir(dir).map_err(|errno| Error::Path(dir.to_owned(), errno.into()))
}

/// Setuid programs and file capabilities give nothing any more.
pub(super) fn no_new_privs() -> Result<(), Error> {
    prctl::set_no_new_privs().map_err(|errno| Error::System("refuse new privileges", errno.into()))
}

pub(super) fn has_no_new_privs() -> Result<bool, Error> {
    prctl::get_no_new_privs().map_err(|errno| Error::System("read whether there are new privileges", errno.into()))
}
