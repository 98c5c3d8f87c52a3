//! The process that a keeper has started.
#![expect(clippy::disallowed_methods, reason = "starts the process that it keeps")]

use std::fs::File;
use std::io::{Error, Read, Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use nofx_shared::drivers::Level;
use rustix::fs::MemfdFlags;

use crate::launch::{Report, Spec, bubble_args};
use crate::role::{LAUNCH, PROGRAM};
use crate::wire::{Ended, FromKeeper, KeeperSpec, Usage};

pub(super) struct Started {
    pub child: Child,
    /// What the helper process wrote before it became the program; none when there was no helper.
    report: Option<File>,
}

impl Started {
    pub(super) fn new(program: &Spec, spec: &KeeperSpec) -> Result<Self, String> {
        let name = program.argv.first().ok_or("no program to run")?;
        let failed = |error: Error| format!("could not start `{name}`: {error}");
        let (mut command, report, _spec) = if spec.is_confined {
            // They have no CLOEXEC: the helper finds them by their numbers, and closes them.
            let inherited = |name| rustix::fs::memfd_create(name, MemfdFlags::empty()).map(File::from);
            let (mut description, report) =
                (inherited("spec").map_err(|error| failed(error.into()))?, inherited("report").map_err(|error| failed(error.into()))?);
            description.write_all(&serde_json::to_vec(program).map_err(|error| failed(error.into()))?).map_err(failed)?;
            (helper(program, spec.uid, [description.as_raw_fd(), report.as_raw_fd()]), Some(report), Some(description))
        } else {
            let mut command = Command::new(name);
            command.args(&program.argv[1..]).env_clear().envs(&program.env).current_dir(&program.dir);
            (command, None, None)
        };
        command.stdin(Stdio::null()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
        if let Some(uid) = spec.uid {
            // Without any other group, which std does for root.
            command.uid(uid).gid(uid);
        }
        command.spawn().map(|child| Self { child, report }).map_err(failed)
    }

    pub(super) fn report(self, exit_code: Option<i32>, usage: Usage) -> FromKeeper {
        let ended = |enforced| FromKeeper::Ended(Box::new(Ended { exit_code, usage, enforced }));
        match self.report.map(read) {
            None => ended(None),
            Some(Ok(Some(Report::Enforced(enforced)))) => ended(Some(enforced)),
            Some(Ok(Some(Report::Refused(why)))) => FromKeeper::Failed(why),
            // It was killed before it could say anything: nothing of the program has run.
            Some(Ok(None)) => ended(None),
            Some(Err(error)) => FromKeeper::Failed(format!("the report of the helper could not be read: {error}")),
        }
    }
}

fn helper(program: &Spec, uid: Option<u32>, descriptors: [i32; 2]) -> Command {
    let mut command = if program.level >= Level::L3 {
        let mut command = Command::new("bwrap");
        let own = (nix::unistd::getuid().as_raw(), nix::unistd::getgid().as_raw());
        let (uid, gid) = uid.map_or(own, |uid| (uid, uid));
        command.args(bubble_args(program, uid, gid, descriptors));
        command
    } else {
        let mut command = Command::new(PROGRAM);
        command.arg(LAUNCH).args(descriptors.map(|number| number.to_string()));
        command
    };
    command.env_clear().current_dir("/");
    command
}

fn read(mut file: File) -> Result<Option<Report>, Error> {
    let mut text = vec![];
    file.rewind()?;
    file.read_to_end(&mut text)?;
    if text.is_empty() { Ok(None) } else { Ok(Some(serde_json::from_slice(&text)?)) }
}
