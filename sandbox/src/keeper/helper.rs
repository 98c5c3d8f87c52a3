//! The helper: the process that becomes the program. Its keeper starts it before there is a program, so that a start does not wait for it.
#![expect(clippy::disallowed_methods, reason = "starts the process that it keeps")]

use std::fs::File;
use std::io::{Error, Read, Seek};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use nix::unistd::Pid;
use nofx_shared::drivers::{Controlled, Enforced, Limits, Usage};
use rustix::fs::MemfdFlags;

use super::group::Group;
use crate::launch::{self, Report};
use crate::program::{HELPER, PROGRAM};
use crate::wire::{Ended, FromKeeper, KeeperSpec, Socket};

pub(super) struct Helper {
    child: Child,
    socket: Socket,
}

impl Helper {
    pub(super) fn start() -> Result<Self, String> {
        let start = || {
            let (socket, theirs) = Socket::pair()?;
            let mut command = Command::new(PROGRAM);
            command.arg0(HELPER).env_clear().stdin(theirs).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().map(|child| Self { child, socket })
        };
        start().map_err(|error: Error| format!("could not start the helper of a program: {error}"))
    }

    /// `streams`: for its output, for its errors, and for its input the end of a bridge.
    pub(super) fn become_program(self, spec: &KeeperSpec, streams: Vec<OwnedFd>) -> Result<Started, String> {
        let failed = |error: Error| format!("could not start the program: {error}");
        let report = rustix::fs::memfd_create("report", MemfdFlags::CLOEXEC).map(File::from).map_err(|errno| failed(errno.into()))?;
        let descriptors: Vec<_> = std::iter::once(report.as_fd()).chain(streams.iter().map(AsFd::as_fd)).collect();
        // Before it is told anything: what it starts is in its group, too.
        let group = Group::with(spec.group.clone(), Pid::from_raw(self.child.id().cast_signed()));
        self.socket.send(spec, &descriptors).map_err(failed)?;
        // The reader of its output must see the end when the last descendant is gone.
        drop(streams);
        Ok(Started { child: self.child, group, report, limits: spec.program.limits })
    }
}

pub(super) struct Started {
    pub child: Child,
    pub group: Option<Group>,
    /// What the helper reports before it becomes the program.
    report: File,
    limits: Limits,
}

impl Started {
    pub(super) fn report(mut self, exit_code: Option<i32>, excess: Option<String>, usage: Usage, cgroup: Vec<Controlled>) -> FromKeeper {
        let ended = |enforced| FromKeeper::Ended(Box::new(Ended { exit_code, excess, usage, enforced }));
        match self.read_report() {
            // It may have been killed before it could say anything: nothing of the program has run.
            Ok(None) => ended(None),
            Ok(Some(Report::Enforced(enforced))) => {
                // Those that its keeper watches; the kernel's the helper has read back.
                let Limits { total_cpu_s, total_memory_mb, total_disk_mb, total_files, .. } = self.limits;
                let limits = Limits { total_cpu_s, total_memory_mb, total_disk_mb, total_files, ..enforced.limits };
                ended(Some(Enforced { limits, cgroup, ..*enforced }))
            }
            Ok(Some(Report::Refused(why))) => FromKeeper::Failed(why),
            Err(error) => FromKeeper::Failed(format!("the report of the helper could not be read: {error}")),
        }
    }

    fn read_report(&mut self) -> Result<Option<Report>, Error> {
        let mut text = vec![];
        self.report.rewind()?;
        self.report.read_to_end(&mut text)?;
        if text.is_empty() { Ok(None) } else { Ok(Some(serde_json::from_slice(&text)?)) }
    }
}

/// What the helper does: waits for its keeper's word, and becomes the program. Returns without one when there is none, and when it cannot,
/// which it has reported.
pub(crate) fn become_program() -> Result<(), String> {
    let keeper = Socket::from_stdin().map_err(|error| error.to_string())?;
    let received = keeper.receive::<KeeperSpec>().map_err(|error| error.to_string())?;
    drop(keeper);
    let Some((KeeperSpec { uid, program, group: _, is_confined }, descriptors)) = received else { return Ok(()) };
    let mut descriptors = descriptors.into_iter();
    let (Some(report), Some(stdout), Some(stderr)) = (descriptors.next(), descriptors.next(), descriptors.next()) else {
        return Err("a program needs two descriptors for its output".to_owned());
    };
    let streams = launch::Streams { stdin: descriptors.next(), stdout, stderr };
    launch::become_program(&program, uid.map(|uid| (uid, uid)), is_confined, streams, &mut File::from(report))
}
