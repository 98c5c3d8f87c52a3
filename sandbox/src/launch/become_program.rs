//! A helper that was started before there was a program: as it has all that its keeper has, it becomes the program's user first.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;

use nofx_shared::drivers::{Enforced, Level};

use super::error::Error;
use super::run::{DRIVER, exec, run};
use super::{Handover, Report, Spec, descriptors, helper, privileges, session};

/// Where the kernel reads how soon it ends a process when memory runs out: 1000 is before all that have less.
const SCORE: &str = "/proc/self/oom_score_adj";

pub(crate) struct Streams {
    /// Nothing to read, when there is none.
    pub stdin: Option<OwnedFd>,
    pub stdout: OwnedFd,
    pub stderr: OwnedFd,
}

/// Becomes the program, as the user with this uid and gid; returns only when it cannot, which it has reported.
pub(crate) fn become_program(
    spec: &Spec,
    user: Option<(u32, u32)>,
    is_confined: bool,
    streams: Streams,
    report: &mut File,
) -> Result<(), String> {
    let error = match prepare(spec, user, streams) {
        Err(error) => error,
        Ok(()) if !is_confined => unconfined(spec, report),
        Ok(()) if spec.level >= Level::L3 => bubble(spec, report),
        Ok(()) => run(spec, report),
    };
    descriptors::write_report(report, &Report::Refused(error.to_string())).map_err(|error| error.to_string())
}

fn prepare(spec: &Spec, user: Option<(u32, u32)>, streams: Streams) -> Result<(), Error> {
    // It is ended before the worker, its supervisor and its keeper when the machine's memory runs out.
    std::fs::write(SCORE, "1000").map_err(|error| Error::System("be the first to end when memory runs out", error))?;
    // The helper in bubblewrap has another session.
    if spec.level < Level::L3 {
        session::own_session()?;
        session::yield_to_others()?;
    }
    // Not before: whose memory is protected may write neither. From here on others of its user could write to it.
    session::protect_memory()?;
    let Streams { stdin, stdout, stderr } = streams;
    let replace = || {
        match stdin {
            Some(bridge) => rustix::stdio::dup2_stdin(bridge)?,
            None => rustix::stdio::dup2_stdin(File::open("/dev/null")?)?,
        }
        rustix::stdio::dup2_stdout(stdout)?;
        rustix::stdio::dup2_stderr(stderr)?;
        std::io::Result::Ok(())
    };
    replace().map_err(|error| Error::System("use the program's input and output", error))?;
    user.map_or(Ok(()), |(uid, gid)| privileges::become_user(uid, gid))
}

/// With all that its user may do.
fn unconfined(spec: &Spec, report: &mut File) -> Error {
    let uid = Some(nix::unistd::getuid().as_raw());
    let enforced = Enforced { driver: DRIVER.to_owned(), uid, ..Enforced::default() };
    match session::enter(&spec.dir).and_then(|()| descriptors::write_report(report, &Report::Enforced(Box::new(enforced)))) {
        Ok(()) => exec(spec),
        Err(error) => error,
    }
}

/// By bubblewrap, in which another helper confines itself.
fn bubble(spec: &Spec, report: &File) -> Error {
    let failed = |error| Error::System("hand the description over", error);
    // Inherited: not closed by `exec`.
    let report = match rustix::io::dup(report) {
        Ok(report) => File::from(report),
        Err(errno) => return failed(errno.into()),
    };
    match Handover::reporting_to(spec, report) {
        Ok(handover) => Error::Exec("bwrap".to_owned(), helper(spec, None, &handover).exec()),
        Err(error) => failed(error),
    }
}
