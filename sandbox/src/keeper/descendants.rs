use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

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
/// become this process' own, so each round reaches the next generation.
pub(super) fn kill_all(of: Pid) -> Option<Option<i32>> {
    let mut ended = None;
    loop {
        for child in children() {
            let _ = kill(child, Signal::SIGKILL);
        }
        let (now, is_any_left) = reap(of);
        ended = ended.or(now);
        if !is_any_left {
            return ended;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
}

/// The children of this process. The kernel lists them where it can checkpoint processes, which those of all distributions can.
fn children() -> Vec<Pid> {
    let list = std::fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw).collect()
}
