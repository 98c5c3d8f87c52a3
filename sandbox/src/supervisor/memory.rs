//! How much memory this machine, or the container that this is in, has.

use std::path::Path;

/// Where the kernel says it of a container, by both versions of its control groups.
const OF_CONTAINER: [&str; 2] = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
const OF_MACHINE: &str = "/proc/meminfo";

/// What a process of a step may use with all of its descendants, in MiB: three quarters, so that the worker has the rest. None: it cannot be
/// found out.
pub(super) fn of_a_step() -> Option<u64> {
    three_quarters(OF_MACHINE.as_ref(), &OF_CONTAINER.map(Path::new))
}

fn three_quarters(machine: &Path, container: &[&Path]) -> Option<u64> {
    let text = std::fs::read_to_string(machine).unwrap_or_default();
    let kb = text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    // `max` is no number: there is no limit.
    let bytes = container.iter().filter_map(|path| std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok());
    let least = bytes.chain(kb.map(|kb| kb.saturating_mul(1024))).min()?;
    Some((least / 4 * 3) >> 20)
}

#[cfg(test)]
mod tests {
    use super::{of_a_step, three_quarters};

    #[test]
    fn the_least_of_machine_and_container_counts() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("a file");
            path
        };
        let machine = file("meminfo", "MemFree: 1 kB\nMemTotal:        4194304 kB\n");
        let (most, small, old) = (file("max", "max\n"), file("small", "1073741824\n"), file("old", "9223372036854771712\n"));
        assert_eq!(three_quarters(&machine, &[&most, &old]), Some(3072));
        assert_eq!(three_quarters(&machine, &[&small]), Some(768));
        assert_eq!(three_quarters("/no/such/file".as_ref(), &[&small]), Some(768));
        assert_eq!(three_quarters("/no/such/file".as_ref(), &[&most]), None);
        assert!(of_a_step().is_some_and(|mb| mb > 100));
    }
}
