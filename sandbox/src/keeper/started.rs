//! The process that a keeper has started.
#![expect(clippy::disallowed_methods, reason = "starts the process that it keeps")]

use std::io::Error;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use nofx_shared::drivers::{Enforced, Limits, Usage};

use crate::launch::{Handover, Report, Spec, helper};
use crate::wire::{Ended, FromKeeper, KeeperSpec};

pub(super) struct Started {
    pub child: Child,
    /// What the helper process has before it becomes the program; none when there was no helper.
    handover: Option<Handover>,
    limits: Limits,
}

impl Started {
    pub(super) fn new(program: &Spec, spec: &KeeperSpec, bridge: Option<OwnedFd>) -> Result<Self, String> {
        let [name, arguments @ ..] = program.argv.as_slice() else { return Err("no program to run".to_owned()) };
        let failed = |error: Error| format!("could not start `{name}`: {error}");
        let user = spec.uid.map(|uid| (uid, uid));
        let handover = spec.is_confined.then(|| Handover::new(program)).transpose().map_err(failed)?;
        let mut command = match &handover {
            Some(handover) => helper(program, user, handover),
            None => {
                let mut command = Command::new(name);
                command.args(arguments).env_clear().envs(&program.env).current_dir(&program.dir).process_group(0);
                user.map(|(uid, gid)| command.uid(uid).gid(gid));
                command
            }
        };
        // Only the helper knows what to do with it.
        let bridge = bridge.filter(|_| spec.is_confined);
        command.stdin(bridge.map_or_else(Stdio::null, Stdio::from)).stdout(Stdio::inherit()).stderr(Stdio::inherit());
        let _first = DiesFirst::new().map_err(failed)?;
        command.spawn().map(|child| Self { child, handover, limits: program.limits }).map_err(failed)
    }

    pub(super) fn report(self, exit_code: Option<i32>, excess: Option<String>, usage: Usage) -> FromKeeper {
        let ended = |enforced| FromKeeper::Ended(Box::new(Ended { exit_code, excess, usage, enforced }));
        match self.handover.map(|mut handover| handover.report()) {
            // It may have been killed before it could say anything: nothing of the program has run.
            None | Some(Ok(None)) => ended(None),
            Some(Ok(Some(Report::Enforced(enforced)))) => {
                // Those that its keeper watches; the kernel's the helper has read back.
                let Limits { total_memory_mb, total_disk_mb, total_files, .. } = self.limits;
                let limits = Limits { total_memory_mb, total_disk_mb, total_files, ..enforced.limits };
                ended(Some(Enforced { limits, ..*enforced }))
            }
            Some(Ok(Some(Report::Refused(why)))) => FromKeeper::Failed(why),
            Some(Err(error)) => FromKeeper::Failed(format!("the report of the helper could not be read: {error}")),
        }
    }
}

/// Where the kernel reads how soon it ends a process when memory runs out: 1000 is before all that have less.
const SCORE: &str = "/proc/self/oom_score_adj";

/// What is started while this lives is ended before the worker, its supervisor and this process when the machine's memory runs out.
struct DiesFirst {
    before: String,
}

impl DiesFirst {
    fn new() -> Result<Self, Error> {
        let before = std::fs::read_to_string(SCORE)?;
        std::fs::write(SCORE, "1000")?;
        Ok(Self { before })
    }
}

impl Drop for DiesFirst {
    fn drop(&mut self) {
        // Not below what it was, so that it needs no right.
        drop(std::fs::write(SCORE, self.before.trim()));
    }
}
