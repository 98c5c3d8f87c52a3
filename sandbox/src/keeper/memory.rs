//! How much memory a tree of processes uses together: what the kernel's limits, which are for each process, do not count.

use nix::unistd::Pid;

use crate::as_user::AsUser;

/// What is wrong, if these processes of a user use more than so many MiB.
pub(super) fn excess(tree: &[Pid], limit_mb: u64, uid: Option<u32>) -> Option<String> {
    let exceeds = |kb: u64| kb > limit_mb.saturating_mul(1024);
    // Pages that several processes share count for each of them here. That is cheap to read, and enough as long as it is little.
    let is_exceeded = exceeds(tree.iter().filter_map(|pid| status(*pid)).sum()) && exceeds(exact(tree, uid));
    is_exceeded.then(|| too_much(limit_mb))
}

pub(super) fn too_much(limit_mb: u64) -> String {
    format!("used more than {limit_mb} MiB of memory, all of its processes together")
}

/// In KiB, each shared page once; of a process that does not let its user look at it as `status` says.
fn exact(tree: &[Pid], uid: Option<u32>) -> u64 {
    let _rights = uid.and_then(|uid| AsUser::new(uid).ok());
    let one = |pid: &Pid| {
        let whole = status(*pid)?;
        let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let shared = sum(&text, &["Pss_Anon:", "Pss_Shmem:", "SwapPss:"]).and_then(|kb| Some(kb + page_tables(*pid)?));
        Some(shared.map_or(whole, |shared| shared.min(whole)))
    };
    tree.iter().filter_map(one).sum()
}

/// What a process has in memory that is no file's, in KiB; none when it has ended.
fn status(pid: Pid) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    sum(&text, &["RssAnon:", "RssShmem:", "VmSwap:", "VmPTE:"])
}

fn page_tables(pid: Pid) -> Option<u64> {
    sum(&std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?, &["VmPTE:"])
}

/// The sum of these lines, in KiB; none when there is none of them.
fn sum(text: &str, names: &[&str]) -> Option<u64> {
    let kb = |line: &str| names.iter().find_map(|name| line.strip_prefix(name)?.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    text.lines().filter_map(kb).reduce(|one, other| one.saturating_add(other))
}

#[cfg(test)]
mod tests {
    use nix::unistd::Pid;

    use super::{status, sum};

    #[test]
    fn what_the_kernel_says_is_added() {
        let text = "Name:\tx RssAnon: 7 kB\nRssAnon:\t    1000 kB\nRssFile:\t 5 kB\nRssShmem:\t  24 kB\nVmPTE:\t bad kB\n";
        assert_eq!(sum(text, &["RssAnon:", "RssShmem:", "VmPTE:"]), Some(1024));
        assert_eq!(sum(text, &["VmSwap:"]), None);
        assert_eq!(sum(&format!("RssAnon: {} kB\nRssShmem: 1 kB\n", u64::MAX), &["RssAnon:", "RssShmem:"]), Some(u64::MAX));
    }

    #[test]
    fn this_process_uses_what_it_has_written_to() {
        let bytes = vec![1_u8; 64 << 20];
        let after = status(Pid::this()).expect("it lives");
        assert!(after >= 64 << 10, "{after} KiB, with {} bytes", bytes.len());
        assert_eq!(status(Pid::from_raw(i32::MAX)), None);
    }
}
