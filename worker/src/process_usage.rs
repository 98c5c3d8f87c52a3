//! CPU time and memory of this process, as the kernel reports them. Programs of steps are no children of it: see `Usage`.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

pub(crate) struct ProcessUsage {
    pub cpu_s: f64,
    pub memory_bytes: i64,
}

impl ProcessUsage {
    pub(crate) fn measure() -> Self {
        let used = getrusage(UsageWho::RUSAGE_SELF).ok();
        Self {
            cpu_s: used.map_or(0.0, |used| seconds(used.user_time()) + seconds(used.system_time())),
            memory_bytes: resident_bytes().unwrap_or(0),
        }
    }
}

fn seconds(time: TimeVal) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "years of CPU time fit")]
    let seconds = time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    seconds
}

/// `VmRSS` of /proc/self/status, which is in kibibytes.
fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<i64>().ok().map(|kibibytes| kibibytes * 1024)
}
