//! The keepers of the processes of steps, one for each.
#![expect(clippy::disallowed_methods, reason = "starts keepers, which are this same program")]

use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use nix::unistd::Pid;

use crate::program::{KEEPER, PROGRAM};
use crate::wire::{FromKeeper, KeeperSpec, Socket, ToKeeper};

/// What a process gets beside its description.
pub(super) struct Streams {
    pub output: [OwnedFd; 2],
    /// The end of a `Bridge`.
    pub bridge: Option<OwnedFd>,
}

pub(super) struct Keeper {
    pid: Pid,
    socket: Socket,
    /// Its folder, and whose it is.
    pub folder: PathBuf,
    pub uid: Option<u32>,
    /// It removes a folder and keeps no process: its end is the answer to a request.
    is_removal: bool,
    /// It has reported.
    has_reported: bool,
}

/// By the number of the request that started them.
#[derive(Default)]
pub(super) struct Keepers(HashMap<u64, Keeper>);

impl Keepers {
    pub(super) fn start(&mut self, id: u64, spec: KeeperSpec, streams: Option<Streams>) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("could not start a keeper: {error}");
        let (socket, theirs) = Socket::pair().map_err(failed)?;
        let (output, bridge) = streams.map_or((None, None), |Streams { output, bridge }| (Some(output), bridge));
        let [stdout, stderr] = output.map_or_else(|| [Stdio::null(), Stdio::null()], |both| both.map(Stdio::from));
        let mut command = Command::new(PROGRAM);
        command.arg0(KEEPER).env_clear().current_dir("/").stdin(theirs).stdout(stdout).stderr(stderr).process_group(0);
        let child = command.spawn().map_err(failed)?;
        // Whatever happens now, its socket tells it.
        let pid = Pid::from_raw(child.id().cast_signed());
        let (folder, uid, is_removal) = (spec.folder.clone(), spec.uid, spec.program.is_none());
        let bridge: Vec<_> = bridge.iter().map(AsFd::as_fd).collect();
        socket.send(&ToKeeper::Start(Box::new(spec)), &bridge).map_err(failed)?;
        self.0.insert(id, Keeper { pid, socket, folder, uid, is_removal, has_reported: false });
        Ok(())
    }

    pub(super) fn send(&self, id: u64, message: &ToKeeper) {
        if let Some(keeper) = self.0.get(&id) {
            drop(keeper.socket.try_send(message, &[]));
        }
    }

    /// Those that may report, by the number of their request.
    pub(super) fn sockets(&self) -> impl Iterator<Item = (u64, BorrowedFd<'_>)> {
        self.0.iter().filter(|(_, keeper)| !keeper.has_reported).map(|(id, keeper)| (*id, keeper.socket.as_fd()))
    }

    /// What a keeper reports, once; one that died has not done its work.
    pub(super) fn report(&mut self, id: u64) -> Option<FromKeeper> {
        let keeper = self.0.get_mut(&id).filter(|keeper| !keeper.has_reported)?;
        keeper.has_reported = true;
        let died = || FromKeeper::Failed("the keeper of the process died".to_owned());
        Some(keeper.socket.receive().ok().flatten().map_or_else(died, |(report, _)| report))
    }

    /// The keeper with this process id.
    pub(super) fn of(&self, pid: Pid) -> Option<u64> {
        self.0.iter().find(|(_, keeper)| keeper.pid == pid).map(|(id, _)| *id)
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Keeper> {
        self.0.remove(&id)
    }

    pub(super) fn is_removal(&self, id: u64) -> bool {
        self.0.get(&id).is_some_and(|keeper| keeper.is_removal)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells all of them to kill what they keep and to end.
    pub(super) fn end_all(&mut self) {
        self.0.values().for_each(|keeper| drop(keeper.socket.try_send(&ToKeeper::Release, &[])));
    }
}
