//! The control group of a process, which its supervisor has made.

use std::fs;
use std::path::PathBuf;

use nix::unistd::Pid;
use nofx_shared::drivers::Controlled;

pub(super) struct Group(PathBuf);

impl Group {
    /// Puts a process into it that has started nothing yet. None: there is no group, or it takes none.
    pub(super) fn with(folder: Option<PathBuf>, pid: Pid) -> Option<Self> {
        let folder = folder?;
        fs::write(folder.join("cgroup.procs"), pid.to_string()).is_ok().then_some(Self(folder))
    }

    /// Kills all that is in it, at once: nothing forks faster.
    pub(super) fn kill(&self) {
        drop(fs::write(self.0.join("cgroup.kill"), "1"));
    }

    /// Processor time of all that is or was in it, in milliseconds.
    pub(super) fn cpu_ms(&self) -> Option<u64> {
        self.number("cpu.stat", "usage_usec").map(|microseconds| microseconds / 1000)
    }

    /// What it read from disks and wrote to them, in bytes; none where the kernel does not count that.
    pub(super) fn disk_bytes(&self) -> Option<(u64, u64)> {
        let text = fs::read_to_string(self.0.join("io.stat")).ok()?;
        // A line for each disk: `8:0 rbytes=1 wbytes=2 rios=3 …`.
        let sum = |name: &str| {
            let fields = text.split_whitespace().filter_map(|field| field.strip_prefix(name)?.strip_prefix('=')?.parse().ok());
            fields.fold(0, u64::saturating_add)
        };
        Some((sum("rbytes"), sum("wbytes")))
    }

    /// What the kernel does for it: what is not there, or was refused, is not among it.
    pub(super) fn controlled(&self) -> Vec<Controlled> {
        let is_limited = |file: &str| fs::read_to_string(self.0.join(file)).is_ok_and(|text| text.trim().parse::<u64>().is_ok());
        let is_there = |file: &str| self.0.join(file).exists();
        let all = [
            (Controlled::Kill, is_there("cgroup.kill")),
            (Controlled::Cpu, self.cpu_ms().is_some()),
            (Controlled::Memory, is_limited("memory.max")),
            (Controlled::Pids, is_limited("pids.max")),
            (Controlled::Io, is_there("io.stat")),
        ];
        all.into_iter().filter_map(|(what, holds)| holds.then_some(what)).collect()
    }

    /// Whether the kernel has killed something in it for its memory.
    pub(super) fn has_exceeded_memory(&self) -> bool {
        self.number("memory.events", "oom_kill").is_some_and(|count| count > 0)
    }

    /// When nothing is in it any more.
    pub(super) fn remove(&self) {
        drop(fs::remove_dir(&self.0));
    }

    fn number(&self, file: &str, name: &str) -> Option<u64> {
        let text = fs::read_to_string(self.0.join(file)).ok()?;
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use nix::unistd::Pid;

    use super::{Controlled, Group};

    #[test]
    fn what_the_kernel_says_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let group = Group::with(Some(folder.path().to_owned()), Pid::this()).expect("a group");
        assert_eq!((group.cpu_ms(), group.has_exceeded_memory()), (None, false));
        let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).expect("written");
        write("cpu.stat", "usage_usec_x 1\nusage_usec 2345678\nuser_usec 1\n");
        write("memory.events", "low 0\noom 1\noom_kill 1\noom_group_kill 0\n");
        assert_eq!((group.cpu_ms(), group.has_exceeded_memory()), (Some(2345), true));
        assert_eq!((group.disk_bytes(), group.controlled()), (None, vec![Controlled::Cpu]));
        write("io.stat", "8:0 rbytes=100 wbytes=7 rios=1 wios=1 dbytes=0 dios=0\n8:16 rbytes=1 wbytes=18446744073709551615\n9:0\n");
        assert_eq!(group.disk_bytes(), Some((101, u64::MAX)));
        write("memory.max", "1048576\n");
        write("pids.max", "max\n");
        write("cgroup.kill", "");
        assert_eq!(group.controlled(), [Controlled::Kill, Controlled::Cpu, Controlled::Memory, Controlled::Io]);
        assert!(Group::with(None, Pid::this()).is_none() && Group::with(Some("/no/such/group".into()), Pid::this()).is_none());
    }
}
