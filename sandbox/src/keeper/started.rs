//! The process that a keeper has started.
#![expect(clippy::disallowed_methods, reason = "starts the process that it keeps")]

use std::io::Error;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use nofx_shared::drivers::Usage;

use crate::launch::{Handover, Report, Spec, helper};
use crate::wire::{Ended, FromKeeper, KeeperSpec};

pub(super) struct Started {
    pub child: Child,
    /// What the helper process has before it becomes the program; none when there was no helper.
    handover: Option<Handover>,
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
        command.spawn().map(|child| Self { child, handover }).map_err(failed)
    }

    pub(super) fn report(self, exit_code: Option<i32>, usage: Usage) -> FromKeeper {
        let ended = |enforced| FromKeeper::Ended(Box::new(Ended { exit_code, usage, enforced }));
        match self.handover.map(|mut handover| handover.report()) {
            // It may have been killed before it could say anything: nothing of the program has run.
            None | Some(Ok(None)) => ended(None),
            Some(Ok(Some(Report::Enforced(enforced)))) => ended(Some(enforced)),
            Some(Ok(Some(Report::Refused(why)))) => FromKeeper::Failed(why),
            Some(Err(error)) => FromKeeper::Failed(format!("the report of the helper could not be read: {error}")),
        }
    }
}
