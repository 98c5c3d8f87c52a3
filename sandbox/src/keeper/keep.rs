//! A keeper's life.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::process::Child;
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;
use nofx_shared::drivers::Usage;
use rustix::event::{PollFd, PollFlags};

use super::descendants::{kill_all, reap};
use super::remove::remove;
use super::started::Started;
use crate::wire::{Ended, FromKeeper, Socket, ToKeeper};

/// Keeps the process that the supervisor names on standard input, until it is released or the supervisor is gone.
pub(crate) fn keep() -> Result<(), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let supervisor = Socket::from_stdin().map_err(|error| text(&error))?;
    let Some((ToKeeper::Start(spec), mut descriptors)) = supervisor.receive().map_err(|error| text(&error))? else { return Ok(()) };
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).map_err(|error| text(&error))?;
    let mut blocked = SigSet::empty();
    [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().for_each(|signal| blocked.add(signal));
    blocked.thread_block().map_err(|error| text(&error))?;
    let signals = SignalFd::with_flags(&blocked, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC).map_err(|error| text(&error))?;

    let began = Instant::now();
    // A program starts with no signal blocked; what happens meanwhile is seen by the first look at what has ended.
    SigSet::all().thread_unblock().map_err(|error| text(&error))?;
    let bridge = descriptors.pop();
    let started = spec.program.as_ref().map(|program| Started::new(program, &spec, bridge));
    blocked.thread_block().map_err(|error| text(&error))?;
    // The reader of its output must see the end when the last descendant is gone, or when there never was one.
    let _ = close_output();
    let report = match started {
        Some(Ok(started)) => {
            let exit_code = watch(&started.child, &supervisor, &signals);
            started.report(exit_code, usage(began))
        }
        Some(Err(error)) => FromKeeper::Failed(error),
        None => FromKeeper::Ended(Box::new(Ended { exit_code: Some(0), usage: Usage::default(), enforced: None })),
    };
    let is_only_removal = spec.program.is_none();
    if !is_only_removal {
        drop(supervisor.send(&report, &[]));
        // What it wrote is read before the folder goes.
        while let Ok(Some((message, _))) = supervisor.receive::<ToKeeper>() {
            if matches!(message, ToKeeper::Release) {
                break;
            }
        }
    }
    let removed = remove(&spec.folder, spec.uid);
    if is_only_removal {
        let report = removed.clone().map_or_else(FromKeeper::Failed, |()| report);
        drop(supervisor.send(&report, &[]));
    }
    removed
}

fn close_output() -> std::io::Result<()> {
    let null = File::options().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(())
}

/// Waits for the end of the process, or for the word to kill it, and for the end of its descendants. The exit code: none when it was killed.
fn watch(child: &Child, supervisor: &Socket, signals: &SignalFd) -> Option<i32> {
    let pid = Pid::from_raw(child.id().cast_signed());
    let mut ended = reap(pid).0;
    let mut is_to_end = false;
    while ended.is_none() && !is_to_end {
        let [has_message, _] = wait_for([supervisor.as_fd(), signals.as_fd()]);
        while matches!(signals.read_signal(), Ok(Some(_))) {}
        ended = reap(pid).0;
        // Whatever it says, also nothing any more, is that this must end.
        is_to_end = has_message;
    }
    let at_last = kill_all(pid);
    ended.or(at_last).flatten()
}

/// Waits until one of them has something to read; says which.
fn wait_for(descriptors: [BorrowedFd<'_>; 2]) -> [bool; 2] {
    let mut polled = descriptors.map(|descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN));
    // An interruption is a signal, which the next reading sees.
    let _ = rustix::event::poll(&mut polled, None);
    polled.map(|one| !one.revents().is_empty())
}

/// Of all descendants, which all have ended.
fn usage(began: Instant) -> Usage {
    let ms = |time: nix::sys::time::TimeVal| time.tv_sec().unsigned_abs() * 1000 + time.tv_usec().unsigned_abs() / 1000;
    let used = getrusage(UsageWho::RUSAGE_CHILDREN).ok();
    Usage {
        cpu_ms: used.map_or(0, |used| ms(used.user_time()) + ms(used.system_time())),
        max_rss_bytes: used.map_or(0, |used| used.max_rss().unsigned_abs() * 1024),
        wall_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        destinations: vec![],
    }
}
