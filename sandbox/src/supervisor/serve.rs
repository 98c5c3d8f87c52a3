//! The supervisor's loop: read this first.

use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags, Timespec};

use super::files::file;
use super::folders::Folders;
use super::groups::{self, Groups};
use super::heart::Heart;
use super::places::{Places, SCRIPT};
use super::processes::{Keepers, Streams};
use crate::tree::{TreeJob, TreeOp};
use crate::wire::{
    Answer, FileOp, FolderOp, FromKeeper, FromSupervisor, KeeperSpec, Process, Removal, Request, Socket, ToKeeper, ToSupervisor,
};

/// How often the heart is checked.
const CHECK_PERIOD: Duration = Duration::from_secs(1);
/// Nothing happens for so long before the keeper of the next process is prepared.
const PAUSE: Duration = Duration::from_millis(25);
/// How long processes may take to end after the worker has.
const LAST_WAIT: Duration = Duration::from_secs(10);
/// Folders that are removed at once which nobody waits for.
const REMOVALS: usize = 4;
/// The worker was ended because its loop stood still (`EX_SOFTWARE`).
const HUNG: u8 = 70;

pub(super) struct Supervisor {
    worker: Socket,
    pid: Pid,
    folders: Folders,
    places: Places,
    keepers: Keepers,
    /// None where this process may make none.
    groups: Option<Groups>,
    heart: Heart,
    /// Answers that the worker has no room for yet: a worker that hangs must not hold its supervisor.
    answers: VecDeque<(FromSupervisor, Option<OwnedFd>)>,
    /// Folders to be removed which nobody waits for, and the removals of these which go on, by numbers that no request has.
    left: VecDeque<PathBuf>,
    /// Those that could not be: they are tried again when somebody cleans up.
    unremoved: Vec<PathBuf>,
    removals: HashSet<u64>,
    next_removal: u64,
}

type Reply = Result<Option<(Answer, Option<OwnedFd>)>, String>;

impl Supervisor {
    pub(super) fn new(worker: Socket, pid: Pid, folders: Folders, places: Places, groups: Option<Groups>) -> Self {
        let (keepers, heart, answers) = (Keepers::default(), Heart::default(), VecDeque::new());
        let (left, removals) = (folders.left().into(), HashSet::new());
        Self {
            worker,
            pid,
            folders,
            places,
            keepers,
            groups,
            heart,
            answers,
            left,
            unremoved: vec![],
            removals,
            next_removal: u64::MAX / 2,
        }
    }

    /// Until the worker has ended, and all processes of its steps.
    pub(super) fn serve(mut self) -> Result<ExitCode, String> {
        let signals = signals().map_err(|error| error.to_string())?;
        let mut next_check = Instant::now() + CHECK_PERIOD;
        let mut code = None;
        let mut is_hung = false;
        while code.is_none() {
            let mut timeout = next_check.saturating_duration_since(Instant::now());
            if !self.keepers.has_prepared() {
                timeout = timeout.min(PAUSE);
            }
            let began = Instant::now();
            let (is_asked, reported) = self.wait(&signals, timeout);
            // Not while there is something to do: what has just been started would share the processors with it.
            if !self.keepers.has_prepared() && !is_asked && reported.is_empty() && began.elapsed() >= PAUSE {
                self.keepers.prepare();
            }
            while let Ok(Some(signal)) = signals.read_signal() {
                match Signal::try_from(signal.ssi_signo.cast_signed()) {
                    Ok(Signal::SIGCHLD) => {}
                    Ok(signal) => {
                        let _ = kill(self.pid, signal);
                    }
                    Err(_) => {}
                }
            }
            code = self.reap();
            for id in reported {
                self.report(id);
            }
            if is_asked && code.is_none() {
                self.receive();
            }
            if Instant::now() >= next_check {
                next_check = Instant::now() + CHECK_PERIOD;
                if self.heart.check() && !is_hung {
                    is_hung = true;
                    eprintln!(
                        "nofx supervisor: the worker's loop has stood still for 10 seconds, or has not begun for five minutes; ending it"
                    );
                    self.keepers.end_all();
                    let _ = kill(self.pid, Signal::SIGKILL);
                }
            }
            self.remove_left();
            self.send_answers();
        }
        self.keepers.end_all();
        let until = Instant::now() + LAST_WAIT;
        while !self.keepers.is_empty() && Instant::now() < until {
            self.wait(&signals, Duration::from_millis(200));
            while matches!(signals.read_signal(), Ok(Some(_))) {}
            self.reap();
        }
        self.folders.close();
        Ok(ExitCode::from(if is_hung { HUNG } else { code.unwrap_or(1) }))
    }

    /// Whether the worker has sent something, and which keepers have.
    fn wait(&self, signals: &SignalFd, timeout: Duration) -> (bool, Vec<u64>) {
        let keepers: Vec<(u64, _)> = self.keepers.sockets().collect();
        let for_worker = if self.answers.is_empty() { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT };
        let mut polled = vec![PollFd::new(&self.worker, for_worker), PollFd::new(signals, PollFlags::IN)];
        polled.extend(keepers.iter().map(|(_, socket)| PollFd::from_borrowed_fd(*socket, PollFlags::IN)));
        let timeout = Timespec { tv_sec: timeout.as_secs().cast_signed(), tv_nsec: timeout.subsec_nanos().into() };
        if rustix::event::poll(&mut polled, Some(&timeout)).is_err() {
            return (false, vec![]);
        }
        let is_asked = polled[0].revents().intersects(PollFlags::IN | PollFlags::HUP);
        let reported = keepers.iter().zip(&polled[2..]).filter(|(_, polled)| !polled.revents().is_empty()).map(|((id, _), _)| *id);
        (is_asked, reported.collect())
    }

    /// The exit code of the worker, when it has ended.
    fn reap(&mut self) -> Option<u8> {
        let mut code = None;
        while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            let (pid, exit) = match status {
                WaitStatus::Exited(pid, exit) => (pid, u8::try_from(exit).unwrap_or(1)),
                WaitStatus::Signaled(pid, signal, _) => (pid, 128 + signal as u8),
                WaitStatus::StillAlive => break,
                _ => continue,
            };
            if pid == self.pid {
                code = Some(exit);
            } else if self.keepers.is_prepared(pid) {
                self.keepers.drop_prepared();
            } else if let Some(id) = self.keepers.of(pid) {
                // It may have died before it could report.
                self.report(id);
                self.removals.remove(&id);
                let Some(keeper) = self.keepers.remove(id) else { continue };
                // It has removed it, unless it was killed.
                keeper.group.iter().for_each(|group| groups::end(group));
                let Some((folder, uid)) = keeper.folder else { continue };
                if folder.symlink_metadata().is_ok() {
                    eprintln!("nofx supervisor: {} was not removed", folder.display());
                    self.unremoved.push(folder);
                } else {
                    self.folders.free_user(uid);
                }
            }
        }
        code
    }

    fn report(&mut self, id: u64) {
        let answer = match self.keepers.report(id) {
            Some(FromKeeper::Done) => Ok(Answer::Done),
            Some(FromKeeper::Ended(ended)) => Ok(Answer::Ended(ended)),
            Some(FromKeeper::Failed(error)) => Err(error),
            None => return,
        };
        if self.removals.contains(&id) {
            return;
        }
        self.answers.push_back((FromSupervisor { id, answer }, None));
    }

    /// Reads one message of the worker and does what it says.
    fn receive(&mut self) {
        let Ok(Some((ToSupervisor { id, request }, descriptors))) = self.worker.receive::<ToSupervisor>() else { return };
        let reply = match request {
            Request::Heartbeat => return self.heart.heartbeat(),
            Request::Stop { run } => return self.keepers.send(run, &ToKeeper::Kill),
            Request::Release { run } => return self.keepers.send(run, &ToKeeper::Release),
            Request::Run(process) => self.run(id, *process, descriptors),
            Request::Toolchains => Ok(Some((Answer::Toolchains(self.places.tools.names()), None))),
            Request::Folder(op) => self.folder(id, op),
            Request::Tree { folder, op } => self.tree(id, &folder, op, descriptors),
            Request::File { path, op } => file(&mut self.folders, &path, &op).map(Some),
        };
        match reply {
            Ok(Some((answer, descriptor))) => self.answers.push_back((FromSupervisor { id, answer: Ok(answer) }, descriptor)),
            // The answer follows.
            Ok(None) => {}
            Err(error) => self.answers.push_back((FromSupervisor { id, answer: Err(error) }, None)),
        }
    }

    fn run(&mut self, id: u64, mut process: Process, descriptors: Vec<OwnedFd>) -> Reply {
        let mut descriptors = descriptors.into_iter();
        let (Some(stdout), Some(stderr), bridge) = (descriptors.next(), descriptors.next(), descriptors.next()) else {
            return Err("a process needs two descriptors for its output".to_owned());
        };
        let output = [stdout, stderr];
        let folder = self.folders.folder_of(&process.dir)?;
        let owner = self.folders.user_of(&process.dir)?;
        for pipe in output.iter().filter(|_| owner.is_some()) {
            // Programs also open them by name: /dev/stderr.
            let uid = owner.map(|uid| (rustix::fs::Uid::from_raw(uid), rustix::fs::Gid::from_raw(uid)));
            rustix::fs::fchown(pipe, uid.map(|both| both.0), uid.map(|both| both.1)).map_err(|error| format!("output: {error}"))?;
        }
        process.level = self.places.level(process.level)?;
        let uid = self.folders.user_of(&process.dir)?;
        let scratch = match process.scratch.take() {
            Some(prepared) => self.folders.prepared(&prepared, uid)?,
            None => self.folders.scratch(Some(uid))?,
        };
        let mut read_write = self.folders.used_with(&folder);
        read_write.push(scratch.clone());
        let started = self.start(id, uid, process, read_write, &scratch, Streams { output, bridge });
        if started.is_err() {
            self.left.push_back(scratch.clone());
        }
        started.map(|()| Some((Answer::Started { scratch }, None)))
    }

    fn start(
        &mut self,
        id: u64,
        uid: Option<u32>,
        process: Process,
        read_write: Vec<PathBuf>,
        scratch: &Path,
        streams: Streams,
    ) -> Result<(), String> {
        if let Some(script) = &process.script {
            let (_, opened) = file(&mut self.folders, &scratch.join(SCRIPT), &FileOp::Create)?;
            let written = opened.map(File::from).map(|mut file| file.write_all(script.as_bytes()));
            written.unwrap_or(Ok(())).map_err(|error| format!("the script could not be written: {error}"))?;
        }
        let is_confined = process.level.is_some();
        let program = self.places.spec(process, read_write, scratch)?;
        let group = self.groups.as_mut().and_then(|groups| groups.create(&program.limits));
        self.keepers.start(id, KeeperSpec { uid, program, group, is_confined }, streams)
    }

    fn tree(&mut self, id: u64, path: &Path, op: TreeOp, descriptors: Vec<OwnedFd>) -> Reply {
        let descriptors =
            descriptors.try_into().map_err(|_| "a workspace is read from one descriptor and written to another".to_owned())?;
        let folder = self.folders.folder_of(path)?;
        if folder != path {
            return Err(format!("{} is inside of a folder", path.display()));
        }
        let uid = self.folders.user_of(path)?;
        self.keepers.do_job(id, &TreeJob { folder, uid, op }, &descriptors).map(|()| None)
    }

    fn folder(&mut self, id: u64, op: FolderOp) -> Reply {
        let answer = match op {
            FolderOp::Create { run } => Answer::Created(self.folders.create(run)?),
            FolderOp::Scratch { like } => {
                let folder = match like {
                    Some(like) => self.folders.shared_scratch(&like)?,
                    None => self.folders.scratch(None)?,
                };
                Answer::Created(folder)
            }
            FolderOp::Clean => {
                if self.left.is_empty() {
                    self.left = self.folders.left().into();
                    self.left.extend(self.unremoved.drain(..));
                }
                Answer::Done
            }
            FolderOp::Prepare { dir } => {
                let uid = self.folders.user_of(&dir)?;
                Answer::Created(self.folders.scratch(Some(uid))?)
            }
            FolderOp::Remove { folder } => {
                let (folder, uid) = self.folders.whole(&folder)?;
                let is_last = self.folders.is_last(&folder, uid);
                return self.keepers.remove_folder(id, Removal { folder, uid, is_last }).map(|()| None);
            }
        };
        Ok(Some((answer, None)))
    }

    /// Some of what nobody waits for; each is a process.
    fn remove_left(&mut self) {
        while self.removals.len() < REMOVALS
            && let Some(folder) = self.left.pop_front()
        {
            let Ok(uid) = self.folders.owner(&folder) else { continue };
            self.next_removal += 1;
            let id = self.next_removal;
            let is_last = self.folders.is_last(&folder, uid);
            match self.keepers.remove_folder(id, Removal { folder, uid, is_last }) {
                Ok(()) => drop(self.removals.insert(id)),
                Err(error) => eprintln!("nofx supervisor: {error}"),
            }
        }
    }

    fn send_answers(&mut self) {
        while let Some((answer, descriptor)) = self.answers.front() {
            let descriptors: Vec<_> = descriptor.iter().map(AsFd::as_fd).collect();
            let id = answer.id;
            match self.worker.try_send(answer, &descriptors) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                // Whoever waits for it must hear that it cannot be sent.
                Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => {
                    self.answers[0] = (FromSupervisor { id, answer: Err(error.to_string()) }, None);
                }
                // Sent, or the worker is gone.
                _ => drop(self.answers.pop_front()),
            }
        }
    }
}

fn signals() -> nix::Result<SignalFd> {
    let mut signals = SigSet::empty();
    [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().for_each(|signal| signals.add(signal));
    signals.thread_block()?;
    SignalFd::with_flags(&signals, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
}

#[cfg(test)]
mod tests;
