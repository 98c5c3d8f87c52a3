//! CPU time and memory of this process and its children, as the kernel reports them.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

pub(crate) struct ProcessUsage {
    worker_cpu_s: f64,
    children_cpu_s: f64,
    worker_bytes: i64,
    child_bytes: i64,
}

impl ProcessUsage {
    pub(crate) fn measure() -> Self {
        let of = |who| getrusage(who).ok();
        let cpu = |who| of(who).map_or(0.0, |usage| seconds(usage.user_time()) + seconds(usage.system_time()));
        Self {
            worker_cpu_s: cpu(UsageWho::RUSAGE_SELF),
            children_cpu_s: cpu(UsageWho::RUSAGE_CHILDREN),
            worker_bytes: resident_bytes().unwrap_or(0),
            // Kibibytes on Linux.
            child_bytes: of(UsageWho::RUSAGE_CHILDREN).map_or(0, |usage| usage.max_rss() * 1024),
        }
    }

    pub(crate) fn cpu_s(&self) -> [(&'static str, f64); 2] {
        [("worker", self.worker_cpu_s), ("children", self.children_cpu_s)]
    }

    pub(crate) fn memory_bytes(&self) -> [(&'static str, i64); 2] {
        [("worker", self.worker_bytes), ("largest_child", self.child_bytes)]
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
