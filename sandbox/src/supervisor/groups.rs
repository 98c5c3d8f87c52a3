//! Control groups of the kernel (cgroup v2), one for each process of a step, where this process may make them: they hold all that a process
//! starts, whatever it does, and end it at once. What they cannot do where the kernel gives no controllers, keepers do by looking.

use std::fs;
use std::path::{Path, PathBuf};

use nofx_shared::drivers::Limits;

/// Those that limits of a step need, and what counts its disks.
const CONTROLLERS: [&str; 3] = ["memory", "pids", "io"];
const PREFIX: &str = "nofx-";
/// The group of the supervisor and its worker: a group that hands controllers down may hold no process itself.
const OWN: &str = "worker";
const MIB: u64 = 1 << 20;

pub(super) struct Groups {
    folder: PathBuf,
    next: u64,
}

impl Groups {
    /// None where this process may make no groups. To be called before the worker is started, which is then in a group, too.
    pub(super) fn open() -> Option<Self> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let base = base(&mounts, &own)?;
        end_left(&base);
        Self::open_in(&base).ok()
    }

    fn open_in(base: &Path) -> std::io::Result<Self> {
        let own = std::process::id();
        let folder = base.join(format!("{PREFIX}{own}"));
        let worker = folder.join(OWN);
        fs::create_dir(&folder)?;
        fs::create_dir(&worker)?;
        fs::write(worker.join("cgroup.procs"), own.to_string())?;
        for group in [base, &folder] {
            // Each may be refused by itself: what there is of them holds.
            CONTROLLERS.iter().for_each(|name| drop(fs::write(group.join("cgroup.subtree_control"), format!("+{name}"))));
        }
        Ok(Self { folder, next: 0 })
    }

    /// A group for a process that has these limits; none when it could not be made.
    pub(super) fn create(&mut self, limits: &Limits) -> Option<PathBuf> {
        self.next += 1;
        let group = self.folder.join(self.next.to_string());
        fs::create_dir(&group).ok()?;
        let set = |file: &str, value: Option<u64>| value.map(|value| drop(fs::write(group.join(file), value.to_string())));
        set("memory.max", limits.total_memory_mb.map(|mb| mb.saturating_mul(MIB)));
        set("memory.oom.group", limits.total_memory_mb.map(|_| 1));
        set("pids.max", limits.processes);
        Some(group)
    }
}

/// Ends all that is in the group of a process whose keeper has died.
pub(super) fn end(group: &Path) {
    drop(fs::write(group.join("cgroup.kill"), "1"));
    drop(fs::remove_dir(group));
}

/// Ends what is in groups of supervisors that are gone.
fn end_left(base: &Path) {
    let names = fs::read_dir(base).into_iter().flatten().flatten();
    let left = names.filter(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name.strip_prefix(PREFIX).and_then(|pid| pid.parse::<u32>().ok());
        pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists())
    });
    for supervisor in left {
        for group in fs::read_dir(supervisor.path()).into_iter().flatten().flatten().filter(|entry| entry.path().is_dir()) {
            end(&group.path());
        }
        drop(fs::remove_dir(supervisor.path()));
    }
}

/// Where this process's group is in the tree of files; none where there is no version 2.
fn base(mounts: &str, own: &str) -> Option<PathBuf> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    let (root, at) = mounts.lines().find_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        let fields: Vec<&str> = place.split(' ').collect();
        kind.starts_with("cgroup2 ").then(|| Some((*fields.get(3)?, *fields.get(4)?)))?
    })?;
    let below = Path::new(path).strip_prefix(root).ok()?;
    Some(Path::new(at).join(below))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use nofx_shared::drivers::Limits;

    use super::{Groups, base, end_left};

    const HYBRID: &str = "19 10 0:16 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n\
                          20 10 0:17 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

    #[test]
    fn the_group_of_this_process_is_found() {
        let in_a_scope = "0::/user.slice/app.scope\n";
        assert_eq!(base(HYBRID, "4:memory:/x\n0::/\n"), Some("/sys/fs/cgroup/unified".into()));
        assert_eq!(base(HYBRID, in_a_scope), Some("/sys/fs/cgroup/unified/user.slice/app.scope".into()));
        let part = "7 1 0:9 /user.slice /cg rw - cgroup2 none rw";
        assert_eq!(base(part, in_a_scope), Some("/cg/app.scope".into()));
        for (mounts, own) in [(part, "0::/other\n"), (HYBRID, "4:memory:/x\n"), ("", "0::/\n"), ("1 2 - cgroup2 none rw", "0::/\n")] {
            assert_eq!(base(mounts, own), None, "{mounts} {own}");
        }
    }

    #[test]
    fn a_group_has_the_limits_that_its_controllers_take() {
        // Plain folders stand for groups with all controllers.
        let base = tempfile::tempdir().expect("a folder");
        let mut groups = Groups::open_in(base.path()).expect("groups");
        let limits = Limits { total_memory_mb: Some(3), processes: Some(7), ..Limits::default() };
        let group = groups.create(&limits).expect("a group");
        let read = |file: &str| std::fs::read_to_string(group.join(file)).expect("written");
        assert_eq!((read("memory.max"), read("memory.oom.group"), read("pids.max")), ("3145728".into(), "1".into(), "7".into()));
        let other = groups.create(&Limits::default()).expect("a group");
        assert!(other != group && !other.join("memory.max").exists());
        let own = std::fs::read_to_string(groups.folder.join("worker/cgroup.procs")).expect("written");
        assert_eq!(own, std::process::id().to_string());
        assert!(Groups::open_in(Path::new("/no/such/folder")).is_err());
    }

    #[test]
    fn groups_of_supervisors_that_are_gone_are_ended() {
        let base = tempfile::tempdir().expect("a folder");
        let make = |name: &str| {
            let group: PathBuf = base.path().join(name).join("1");
            std::fs::create_dir_all(&group).expect("a folder");
            group
        };
        let (gone, lives, other) = (make("nofx-4194999"), make(&format!("nofx-{}", std::process::id())), make("nofx-x"));
        end_left(base.path());
        // In the kernel's tree the files go with the folder.
        assert_eq!(std::fs::read_to_string(gone.join("cgroup.kill")).expect("killed"), "1");
        assert!(!lives.join("cgroup.kill").exists() && !other.join("cgroup.kill").exists());
    }
}
