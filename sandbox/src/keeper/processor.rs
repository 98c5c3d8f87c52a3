//! How much processor time a tree of processes has used together, those that have ended too: the kernel's limit is for each process, and a
//! program that forks gets it again. Without a control group, a process whose parent ignores its end is not counted once it has ended.

use nix::sys::resource::{UsageWho, getrusage};
use nix::unistd::Pid;

use super::group::Group;

/// What is wrong, if these processes, and those of this one's children that have ended, have used more than so many seconds.
pub(super) fn excess(tree: &[Pid], group: Option<&Group>, limit_s: u64) -> Option<String> {
    let used = group.and_then(Group::cpu_ms).unwrap_or_else(|| {
        let ended = getrusage(UsageWho::RUSAGE_CHILDREN).map_or(0, |used| ms(used.user_time()) + ms(used.system_time()));
        tree.iter().filter_map(|pid| lives(*pid)).fold(ended, u64::saturating_add)
    });
    (used > limit_s.saturating_mul(1000)).then(|| format!("used more than {limit_s} s of processor time, all of its processes together"))
}

pub(super) fn ms(time: nix::sys::time::TimeVal) -> u64 {
    time.tv_sec().unsigned_abs().saturating_mul(1000).saturating_add(time.tv_usec().unsigned_abs() / 1000)
}

/// Of a process and of the children that it has waited for, in milliseconds; none when it has ended.
fn lives(pid: Pid) -> Option<u64> {
    ticks(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
        .map(|ticks| ticks * 1000 / rustix::param::clock_ticks_per_second().max(1))
}

/// `utime`, `stime`, `cutime` and `cstime` of `/proc/PID/stat`. The name before them is the process's own choice, parentheses and all.
fn ticks(stat: &str) -> Option<u64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    fields.get(11..15)?.iter().map(|field| field.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use nix::unistd::Pid;

    use super::{excess, lives, ticks};

    #[test]
    fn times_are_read_whatever_the_name_of_the_process_is() {
        let rest = "R 1 2 3 0 -1 4194304 1 2 3 4 10 20 300 4000 20 0 1 0 5 6 7";
        for name in ["a", "a b", ") S 1 1 1 1 1 1 1 1 1 1 9 9 9 9", "((", ""] {
            assert_eq!(ticks(&format!("7 ({name}) {rest}")), Some(4330), "{name}");
        }
        for wrong in ["", "7 (a", "7 (a) R 1 2", "7 (a) R 1 2 3 0 -1 4194304 1 2 3 4 -1 2 3 4"] {
            assert_eq!(ticks(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn this_process_has_used_what_it_has_computed() {
        let begin = lives(Pid::this()).expect("it lives");
        while lives(Pid::this()).expect("it lives") < begin + 50 {}
        assert!(excess(&[Pid::this()], None, 0).is_some_and(|why| why.contains("more than 0 s of processor time")));
        assert_eq!((excess(&[Pid::this()], None, u64::MAX), lives(Pid::from_raw(i32::MAX))), (None, None));
    }
}
