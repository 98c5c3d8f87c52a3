//! The keepers of the processes of steps, one for each, the processes that remove folders, and those that
//! read and write workspaces.
#![expect(clippy::disallowed_methods, reason = "starts keepers, which are this same program")]

use std::collections::HashMap;
use std::io::Error;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use nix::unistd::Pid;

use crate::program::{KEEPER, PROGRAM, REMOVER, TREE};
use crate::tree::TreeJob;
use crate::wire::{FromKeeper, KeeperSpec, Removal, Socket, ToKeeper};

/// What a process gets beside its description.
pub(super) struct Streams {
    pub output: [OwnedFd; 2],
    /// The end of a `Bridge`.
    pub bridge: Option<OwnedFd>,
}

pub(super) struct Keeper {
    pid: Pid,
    socket: Socket,
    /// The folder that goes with it, and whose it is; none goes.
    pub folder: Option<(PathBuf, Option<u32>)>,
    /// Its process's control group.
    pub group: Option<PathBuf>,
    /// It has reported.
    has_reported: bool,
}

/// By the number of the request that started them.
#[derive(Default)]
pub(super) struct Keepers {
    all: HashMap<u64, Keeper>,
    /// One that waits for its process, with a helper that waits to become the program: a start need not wait for theirs.
    prepared: Option<(Pid, Socket)>,
}

impl Keepers {
    pub(super) fn start(&mut self, id: u64, spec: KeeperSpec, streams: Streams) -> Result<(), String> {
        let (folder, uid, group) = (spec.program.scratch.clone(), spec.uid, spec.group.clone());
        let message = ToKeeper::Start(Box::new(spec));
        let Streams { output, bridge } = streams;
        let descriptors: Vec<_> = output.iter().chain(&bridge).map(AsFd::as_fd).collect();
        // One that has died meanwhile takes no message.
        let prepared = self.prepared.take().filter(|(_, socket)| socket.send(&message, &descriptors).is_ok());
        let (pid, socket) = match prepared {
            Some(prepared) => prepared,
            None => {
                let (pid, socket) = spawn(KEEPER).map_err(|error| failed(&error))?;
                // Whatever happens now, its socket tells it.
                socket.send(&message, &descriptors).map_err(|error| failed(&error))?;
                (pid, socket)
            }
        };
        self.all.insert(id, Keeper { pid, socket, folder: Some((folder, uid)), group, has_reported: false });
        Ok(())
    }

    /// Has a keeper for the next process; without one that process waits for its own.
    pub(super) fn prepare(&mut self) {
        self.prepared = spawn(KEEPER).ok();
    }

    pub(super) fn has_prepared(&self) -> bool {
        self.prepared.is_some()
    }

    pub(super) fn drop_prepared(&mut self) {
        self.prepared = None;
    }

    pub(super) fn is_prepared(&self, pid: Pid) -> bool {
        self.prepared.as_ref().is_some_and(|prepared| prepared.0 == pid)
    }

    pub(super) fn remove_folder(&mut self, id: u64, removal: Removal) -> Result<(), String> {
        let (pid, socket) = spawn(REMOVER).map_err(|error| failed(&error))?;
        socket.send(&removal, &[]).map_err(|error| failed(&error))?;
        let Removal { folder, uid, .. } = removal;
        self.all.insert(id, Keeper { pid, socket, folder: Some((folder, uid)), group: None, has_reported: false });
        Ok(())
    }

    /// `descriptors`: what is read, and what is written.
    pub(super) fn do_job(&mut self, id: u64, job: &TreeJob, descriptors: &[OwnedFd; 2]) -> Result<(), String> {
        let (pid, socket) = spawn(TREE).map_err(|error| failed(&error))?;
        let descriptors: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
        socket.send(job, &descriptors).map_err(|error| failed(&error))?;
        self.all.insert(id, Keeper { pid, socket, folder: None, group: None, has_reported: false });
        Ok(())
    }

    pub(super) fn send(&self, id: u64, message: &ToKeeper) {
        if let Some(keeper) = self.all.get(&id) {
            drop(keeper.socket.try_send(message, &[]));
        }
    }

    /// Those that may report, by the number of their request.
    pub(super) fn sockets(&self) -> impl Iterator<Item = (u64, BorrowedFd<'_>)> {
        self.all.iter().filter(|(_, keeper)| !keeper.has_reported).map(|(id, keeper)| (*id, keeper.socket.as_fd()))
    }

    /// What a keeper reports, once; one that died has not done its work.
    pub(super) fn report(&mut self, id: u64) -> Option<FromKeeper> {
        let keeper = self.all.get_mut(&id).filter(|keeper| !keeper.has_reported)?;
        keeper.has_reported = true;
        let died = || FromKeeper::Failed("the keeper of the process died".to_owned());
        Some(keeper.socket.receive().ok().flatten().map_or_else(died, |(report, _)| report))
    }

    /// The keeper with this process id.
    pub(super) fn of(&self, pid: Pid) -> Option<u64> {
        self.all.iter().find(|(_, keeper)| keeper.pid == pid).map(|(id, _)| *id)
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Keeper> {
        self.all.remove(&id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Tells all of them to kill what they keep and to end.
    pub(super) fn end_all(&mut self) {
        self.all.values().for_each(|keeper| drop(keeper.socket.try_send(&ToKeeper::Release, &[])));
    }
}

/// This program in this role, which reads what it is to do from its standard input and ends when nobody writes to that any more.
fn spawn(role: &str) -> Result<(Pid, Socket), Error> {
    let (socket, theirs) = Socket::pair()?;
    let mut command = Command::new(PROGRAM);
    command.arg0(role).env_clear().current_dir("/").stdin(theirs).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let child = command.spawn()?;
    Ok((Pid::from_raw(child.id().cast_signed()), socket))
}

fn failed(error: &Error) -> String {
    format!("could not start a keeper: {error}")
}
