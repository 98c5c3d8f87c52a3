//! Resident memory of processes, in MB. Most of it are pages of the program's file, and how many of them the kernel maps depends on how it
//! holds that file: a copy of the same program differs by 2 MB. What a change costs is seen in `RssAnon`.

/// Of now.
pub(super) fn resident(pid: i64) -> f64 {
    status(pid, "VmRSS:")
}

/// The most that it ever was.
pub(super) fn peak(pid: i64) -> f64 {
    status(pid, "VmHWM:")
}

/// The worker that a supervisor has started: its first child.
pub(super) fn worker_of(supervisor: i64) -> Option<i64> {
    let parent = format!("PPid:\t{supervisor}\n");
    let is_child = |pid: &i64| std::fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|status| status.contains(&parent));
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_child).min()
}

fn status(pid: i64, field: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kb = text.lines().find_map(|line| line.strip_prefix(field)?.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kb.map_or(f64::NAN, |kb| (kb / 102.4).round() / 10.0)
}
