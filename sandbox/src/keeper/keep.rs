//! A keeper's life.

use std::io::{PipeReader, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;
use nofx_shared::drivers::{Level, Usage};
use rustix::event::{PollFd, PollFlags, Timespec};

use super::descendants::{kill_all, reap};
use super::disk::Disk;
use super::group::Group;
use super::helper::{Helper, Started};
use super::memory;
use super::processor::ms;
use super::remove::{SHARED, remove};
use super::together::Together;
use crate::launch::Spec;
use crate::wire::{FromKeeper, KeeperSpec, Socket, ToKeeper};

/// Keeps the process that the supervisor names on standard input, until it is released or the supervisor is gone.
pub(crate) fn keep() -> Result<(), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let supervisor = Socket::from_stdin().map_err(|error| text(&error))?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).map_err(|error| text(&error))?;
    // The supervisor blocks some, and a program begins with none blocked.
    SigSet::all().thread_unblock().map_err(|error| text(&error))?;
    // Before there is anything to start: it takes longer than the rest.
    let helper = Helper::start();
    let mut blocked = SigSet::empty();
    [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().for_each(|signal| blocked.add(signal));
    blocked.thread_block().map_err(|error| text(&error))?;
    let signals = SignalFd::with_flags(&blocked, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC).map_err(|error| text(&error))?;

    let Some((ToKeeper::Start(spec), streams)) = supervisor.receive().map_err(|error| text(&error))? else { return Ok(()) };
    let began = Instant::now();
    let report = match helper.and_then(|helper| helper.become_program(&spec, streams)) {
        Ok(started) => {
            let (exit_code, excess) = watch(&started, &supervisor, &signals, &spec);
            let exit_code = exit_code.filter(|code| !is_signal(*code, &spec));
            let usage = usage(began, started.group.as_ref());
            let cgroup = started.group.as_ref().map(Group::controlled).unwrap_or_default();
            started.group.iter().for_each(Group::remove);
            started.report(exit_code, excess, usage, cgroup)
        }
        Err(error) => FromKeeper::Failed(error),
    };
    drop(supervisor.send(&report, &[]));
    // What it wrote is read before the folder goes.
    while let Ok(Some((message, _))) = supervisor.receive::<ToKeeper>() {
        if matches!(message, ToKeeper::Release) {
            break;
        }
    }
    remove(&spec.program.scratch, spec.uid)
}

/// Waits for the end of the process, for the word to kill it, or until it uses too much; and for the end of its descendants. The exit code:
/// none when it was killed; and what it used too much of.
fn watch(started: &Started, supervisor: &Socket, signals: &SignalFd, spec: &KeeperSpec) -> (Option<i32>, Option<String>) {
    let pid = Pid::from_raw(started.child.id().cast_signed());
    let group = started.group.as_ref();
    let mut together = Together::new(&spec.program.limits, spec.uid, group);
    let disk = disk(spec);
    let mut excess = disk.as_ref().err().cloned();
    let mut disk = disk.ok().flatten();
    let mut ended = reap(pid).0;
    let mut is_to_end = false;
    while ended.is_none() && excess.is_none() && !is_to_end {
        let mut descriptors = vec![supervisor.as_fd(), signals.as_fd()];
        descriptors.extend(disk.iter().map(AsFd::as_fd));
        let ready = wait_for(&descriptors, together.as_ref().map(Together::wait));
        while matches!(signals.read_signal(), Ok(Some(_))) {}
        ended = reap(pid).0;
        // Whatever it says, also nothing any more, is that this must end.
        is_to_end = ready[0];
        excess = together.as_mut().and_then(Together::excess);
        if let Some(mut pipe) = disk.take_if(|_| ready.get(2) == Some(&true)) {
            let mut text = String::new();
            excess = excess.or_else(|| pipe.read_to_string(&mut text).ok().map(|_| text));
        }
    }
    group.inspect(|group| group.kill());
    let at_last = kill_all(pid, spec.uid);
    let of_memory = group.filter(|group| group.has_exceeded_memory()).and(spec.program.limits.total_memory_mb).map(memory::too_much);
    match ended {
        // By a signal, which may have been the kernel's.
        Some(None) => (None, of_memory),
        Some(exit_code) => (exit_code, None),
        None => (at_last.flatten().filter(|_| excess.is_none()), excess),
    }
}

/// At L3 the process is `bwrap`, which says by its exit code which signal has ended the program. One that exits with such a code itself
/// is taken for ended by it.
fn is_signal(exit_code: i32, spec: &KeeperSpec) -> bool {
    spec.is_confined && spec.program.level >= Level::L3 && (129..=159).contains(&exit_code)
}

/// Watches the folders that a process may write to.
fn disk(spec: &KeeperSpec) -> Result<Option<PipeReader>, String> {
    let Spec { read_write, limits, level, .. } = &spec.program;
    // From L2 on nothing can be left there.
    let is_open = spec.uid.is_some() && (*level < Level::L2 || !spec.is_confined);
    let shared = SHARED.iter().filter(|_| is_open).map(|folder| (*folder).into()).collect();
    let disk = Disk { folders: read_write.clone(), shared, uid: spec.uid, limits: *limits };
    disk.watch().map_err(|error| format!("was not let run: its disk could not be watched: {error}"))
}

/// Waits until one of them has something to read, or the time is over; says which.
fn wait_for(descriptors: &[BorrowedFd<'_>], time: Option<Duration>) -> Vec<bool> {
    let mut polled: Vec<PollFd<'_>> = descriptors.iter().map(|descriptor| PollFd::from_borrowed_fd(*descriptor, PollFlags::IN)).collect();
    let time = time.map(|time| Timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: time.subsec_nanos().into() });
    // An interruption is a signal, which the next reading sees.
    let _ = rustix::event::poll(&mut polled, time.as_ref());
    polled.iter().map(|one| !one.revents().is_empty()).collect()
}

/// Of all descendants, which all have ended.
fn usage(began: Instant, group: Option<&Group>) -> Usage {
    let used = getrusage(UsageWho::RUSAGE_CHILDREN).ok();
    // In blocks of 512 bytes, whatever a disk's are.
    let blocks =
        |used: nix::sys::resource::Usage| [used.block_reads(), used.block_writes()].map(|blocks| blocks.unsigned_abs().saturating_mul(512));
    let [read_bytes, written_bytes] = used.map_or([0; 2], blocks);
    let (read_bytes, written_bytes) = group.and_then(Group::disk_bytes).unwrap_or((read_bytes, written_bytes));
    Usage {
        cpu_ms: group.and_then(Group::cpu_ms).unwrap_or_else(|| used.map_or(0, |used| ms(used.user_time()) + ms(used.system_time()))),
        max_rss_bytes: used.map_or(0, |used| used.max_rss().unsigned_abs() * 1024),
        wall_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        read_bytes,
        written_bytes,
        destinations: vec![],
    }
}
