//! All descendants of this process, which is the reaper of all of them.

use std::collections::HashSet;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::signal_user::signal_user;

/// Times that children are killed while others appear, before all processes of the user are stopped first.
const ROUNDS: usize = 10;

/// Reaps what has ended; says how the process with this id has, and whether any child is left.
pub(super) fn reap(of: Pid) -> (Option<Option<i32>>, bool) {
    let mut ended = None;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) if pid == of => ended = Some(Some(code)),
            Ok(WaitStatus::Signaled(pid, ..)) if pid == of => ended = Some(None),
            Ok(WaitStatus::StillAlive) => return (ended, true),
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(_) => return (ended, false),
        }
    }
}

/// Kills all descendants and waits for their end; says how the process with this id ended, if it had not yet. Children of one that dies
/// become this process' own, so each round reaches the next generation. Where generations come as fast as that, no process of the user
/// (`uid`) runs while the whole tree is killed; those of its other trees go on then.
pub(super) fn kill_all(of: Pid, uid: Option<u32>) -> Option<Option<i32>> {
    let mut ended = None;
    let mut seen = HashSet::new();
    let mut rounds = 0;
    loop {
        let mut is_any_new = false;
        for child in children() {
            is_any_new |= seen.insert(child);
            let _ = kill(child, Signal::SIGKILL);
        }
        rounds += usize::from(is_any_new);
        if let Some(uid) = uid.filter(|_| rounds > ROUNDS) {
            kill_stopped(uid);
        }
        let (now, is_any_left) = reap(of);
        ended = ended.or(now);
        if !is_any_left {
            break;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    if let Some(uid) = uid.filter(|_| rounds > ROUNDS) {
        signal_user(uid, Signal::SIGCONT);
    }
    ended
}

/// Stops all processes of the user at one instant, and kills the descendants. The kernel gives a signal to all processes of a user without
/// one of them forking meanwhile, and a fork that had begun gives it to the child; so the tree is complete when two readings of it are the
/// same. Children die before their parents: a group of processes that stands still goes on when its last parent has died.
fn kill_stopped(uid: u32) {
    signal_user(uid, Signal::SIGSTOP);
    let mut tree = tree();
    loop {
        let again = self::tree();
        if again == tree {
            break;
        }
        tree = again;
    }
    // None of them can end before its parent was killed, so each id is still the same process.
    for pid in tree.into_iter().rev() {
        let _ = kill(pid, Signal::SIGKILL);
    }
}

/// All descendants, parents before their children. Complete only while none of them forks.
pub(super) fn tree() -> Vec<Pid> {
    let mut all = children();
    let mut next = 0;
    while let Some(pid) = all.get(next) {
        next += 1;
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
        let more: Vec<Pid> = lists.flat_map(|list| pids(&list)).collect();
        all.extend(more);
    }
    all
}

/// The children of this process. The kernel lists them where it can checkpoint processes, which those of all distributions can.
fn children() -> Vec<Pid> {
    pids(&std::fs::read_to_string("/proc/thread-self/children").unwrap_or_default())
}

fn pids(list: &str) -> Vec<Pid> {
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw).collect()
}
