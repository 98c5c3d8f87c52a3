//! What the levels are made of, each tried by itself.
#![expect(clippy::disallowed_methods, reason = "starts programs to see whether the host lets them: below the drivers")]

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Serialize;

/// The first user of the pool of runs.
pub(super) const USER: u32 = 20_000;

/// One part.
#[derive(Clone, Debug, Serialize)]
pub struct Part {
    pub part: &'static str,
    pub works: bool,
    /// Its version or digest, or what it lacks.
    pub detail: String,
}

impl Part {
    fn new(part: &'static str, found: Result<String, String>) -> Self {
        let works = found.is_ok();
        let (Ok(detail) | Err(detail)) = found;
        Self { part, works, detail }
    }
}

/// Whether programs can be started as other users.
pub(super) fn user_pool() -> Part {
    let mut command = Command::new("true");
    command.uid(USER).gid(USER);
    let found = run(&mut command).map(|_| format!("programs run as users of their own, such as {USER}"));
    Part::new("user pool", found.map_err(|why| format!("start as root, or with SETUID, SETGID, CHOWN and KILL ({why})")))
}

pub(super) fn seccomp(digest: Option<&str>) -> Part {
    Part::new("seccomp", digest.map(str::to_owned).ok_or_else(|| "no level applied its filter".to_owned()))
}

pub(super) fn landlock(abi: Option<u32>) -> Part {
    let why = || {
        "L2 applied no rules: Landlock is needed in version 6 (Linux 6.12) or later, and `landlock` in the kernel's list of security modules".to_owned()
    };
    Part::new("Landlock", abi.map(|abi| format!("version {abi}")).ok_or_else(why))
}

pub(super) fn bubblewrap() -> Part {
    let version = run(Command::new("bwrap").arg("--version"));
    Part::new("bubblewrap", version.map_err(|why| format!("install it as `bwrap` ({why})")))
}

/// Whether a user without privileges gets a user namespace.
pub(super) fn user_namespaces(user: Option<(u32, u32)>) -> Part {
    let mut command = Command::new("bwrap");
    command.args(["--unshare-user", "--ro-bind", "/", "/", "--", "true"]).current_dir("/");
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    Part::new("user namespaces", run(&mut command).map(|_| "without privileges".to_owned()))
}

/// Whether a group of processes can be made that has limits of memory and processes.
pub(super) fn cgroup() -> Part {
    Part::new("cgroup v2", try_cgroup("/proc/self/mounts".as_ref(), "/proc/self/cgroup".as_ref()))
}

fn try_cgroup(mounts: &Path, own: &Path) -> Result<String, String> {
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let mounts = read(mounts)?;
    let mount = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>()).find(|words| words.get(2) == Some(&"cgroup2"));
    let mount = mount.and_then(|words| words.get(1).map(PathBuf::from)).ok_or("cgroup v2 is not mounted")?;
    let own = read(own)?;
    let path = own.lines().find_map(|line| line.strip_prefix("0::/")).ok_or("this process is in no group of cgroup v2")?;
    let group = mount.join(path).join(format!("nofx-probe-{}", std::process::id()));
    fs::create_dir(&group).map_err(|error| format!("{}: {error}", group.display()))?;
    let controllers = read(&group.join("cgroup.controllers"));
    fs::remove_dir(&group).map_err(|error| format!("{}: {error}", group.display()))?;
    let controllers = controllers?;
    let lacks: Vec<&str> =
        ["memory", "pids"].into_iter().filter(|one| !controllers.split_whitespace().any(|other| other == *one)).collect();
    if lacks.is_empty() {
        Ok(format!("below {}", mount.join(path).display()))
    } else {
        Err(format!("a group has no limits of {}", lacks.join(" and ")))
    }
}

/// What a program printed, or why it did not end well.
fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(format!("{}: {}", output.status, text(&output.stderr))) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::try_cgroup;

    /// A tree in which new groups have these controllers, which are files of the parent's folder here.
    fn try_in(mounts: &str, own: &str) -> Result<String, String> {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("mine")).expect("a group");
        let [mounts_file, own_file] = ["mounts", "cgroup"].map(|name| folder.path().join(name));
        fs::write(&mounts_file, mounts.replace("HERE", &folder.path().display().to_string())).expect("mounts");
        fs::write(&own_file, own).expect("groups");
        try_cgroup(&mounts_file, &own_file)
    }

    #[test]
    fn a_group_that_cannot_be_made_or_limited_is_none() {
        let mount = "cgroup2 HERE cgroup2 rw 0 0\n";
        assert_eq!(try_in("cgroup /x cgroup rw,pids 0 0\n", "0::/mine\n"), Err("cgroup v2 is not mounted".to_owned()));
        assert_eq!(try_in(mount, "3:pids:/\n"), Err("this process is in no group of cgroup v2".to_owned()));
        assert!(try_in(mount, "0::/other\n").is_err_and(|why| why.contains("No such file")));
        assert!(try_in(mount, "0::/mine\n").is_err_and(|why| why.contains("cgroup.controllers")));
    }
}
