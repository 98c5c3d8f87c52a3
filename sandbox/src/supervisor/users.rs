//! The users of steps: a range of ids that no account has. Each that is in use has a file that its supervisors have locked, on the whole
//! machine; the kernel unlocks it when they end. The file names the folder that the user last had, since its files outlive its processes.

use std::collections::HashMap;
use std::fs::{DirBuilder, File};
use std::io::{Error, ErrorKind, Read, Seek, Write};
use std::ops::RangeInclusive;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

/// Where the files are: the second one where the first is read-only.
const FOLDERS: [&str; 2] = ["/run/nofx-users", "/tmp/.nofx-users"];

pub(super) struct Users {
    folder: PathBuf,
    range: RangeInclusive<u32>,
    /// Where the search begins: two supervisors seldom try the same ids.
    next: u32,
    held: HashMap<u32, File>,
}

impl Users {
    pub(super) fn new(range: RangeInclusive<u32>) -> Result<Self, Error> {
        let folder = FOLDERS.iter().map(Path::new).find_map(|folder| prepare(folder).ok().map(|()| folder.to_owned()));
        let folder = folder
            .ok_or_else(|| Error::new(ErrorKind::PermissionDenied, format!("no folder for the users of steps: {}", FOLDERS.join(", "))))?;
        let count = range.end() - range.start() + 1;
        let next = range.start() + std::process::id().wrapping_mul(97) % count;
        Ok(Self { folder, range, next, held: HashMap::new() })
    }

    pub(super) fn contains(&self, uid: u32) -> bool {
        self.range.contains(&uid)
    }

    /// A user that has no process and no file. `claim` makes its folder.
    pub(super) fn allocate(&mut self, claim: impl FnOnce(u32) -> Result<PathBuf, String>) -> Result<PathBuf, String> {
        let count = self.range.end() - self.range.start() + 1;
        for n in 0..count {
            let uid = self.range.start() + (self.next - self.range.start() + n) % count;
            if let Some(mut file) = self.free(uid).map_err(|error| format!("{}: {error}", self.folder.display()))? {
                self.next = if uid == *self.range.end() { *self.range.start() } else { uid + 1 };
                let folder = claim(uid)?;
                self.write(&mut file, &folder)?;
                // Others on this machine may use the same workspace.
                let shared = rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared);
                shared.map_err(|error| error.to_string())?;
                self.held.insert(uid, file);
                return Ok(folder);
            }
        }
        Err(format!("all {count} users of steps are in use: remove old workspaces, or widen NOFX_STEP_USERS"))
    }

    /// Holds the user of a folder that is there.
    pub(super) fn hold(&mut self, uid: u32) -> Result<(), String> {
        if !self.held.contains_key(&uid) {
            let file = self.open(uid).map_err(|error| error.to_string())?;
            rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared).map_err(|error| format!("user {uid}: {error}"))?;
            self.held.insert(uid, file);
        }
        Ok(())
    }

    /// Holds the user of a folder that was found, whose file may have been lost since.
    pub(super) fn found(&mut self, uid: u32, folder: &Path) {
        if self.hold(uid).is_ok()
            && let Some(mut file) = self.held.get(&uid).and_then(|file| file.try_clone().ok())
            && file.metadata().is_ok_and(|meta| meta.len() == 0)
        {
            drop(self.write(&mut file, folder));
        }
    }

    /// Frees a user whose folder is gone.
    pub(super) fn release_if_gone(&mut self, uid: u32) {
        if std::fs::symlink_metadata(self.last_folder(uid)).is_err() {
            self.held.remove(&uid);
        }
    }

    /// The folder that a user was given for, or the empty path.
    pub(super) fn last_folder(&self, uid: u32) -> PathBuf {
        std::fs::read_to_string(self.folder.join(uid.to_string())).unwrap_or_default().into()
    }

    fn write(&self, file: &mut File, folder: &Path) -> Result<(), String> {
        let text = folder.to_string_lossy();
        let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(text.as_bytes()));
        written.map_err(|error| format!("{}: {error}", self.folder.display()))
    }

    fn open(&self, uid: u32) -> Result<File, Error> {
        File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(self.folder.join(uid.to_string()))
    }

    /// Its file, locked, if nobody uses it and what it had is gone.
    fn free(&self, uid: u32) -> Result<Option<File>, Error> {
        if self.held.contains_key(&uid) {
            return Ok(None);
        }
        let mut file = self.open(uid)?;
        if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Ok(None);
        }
        let mut last = String::new();
        file.read_to_string(&mut last)?;
        let has_files = !last.is_empty() && std::fs::symlink_metadata(&last).is_ok_and(|meta| meta.uid() == uid);
        Ok((!has_files && !has_process(uid)).then_some(file))
    }
}

/// The folder, for root only; one that somebody else could have prepared is refused.
fn prepare(folder: &Path) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let found = std::fs::symlink_metadata(folder)?;
    let is_ours = found.is_dir() && found.uid() == nix::unistd::geteuid().as_raw() && found.permissions().mode() & 0o077 == 0;
    if is_ours { Ok(()) } else { Err(Error::new(ErrorKind::PermissionDenied, "the folder is another user's")) }
}

fn has_process(uid: u32) -> bool {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let is_process = |name: &std::ffi::OsStr| name.to_str().is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    processes.filter(|entry| is_process(&entry.file_name())).any(|entry| entry.metadata().is_ok_and(|meta| meta.uid() == uid))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::os::unix::process::CommandExt;
    use std::path::Path;
    use std::process::Command;

    use super::Users;

    const UID: u32 = 54_321;

    /// A supervisor that has just started, on a machine where there is one user.
    fn users(folder: &Path) -> Users {
        Users { folder: folder.to_owned(), range: UID..=UID, next: UID, held: HashMap::new() }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "starts a process of the user")]
    fn an_id_is_given_again_when_its_folder_and_its_processes_are_gone() {
        // Only root can give files away.
        if !nix::unistd::geteuid().is_root() {
            return;
        }
        let dir = tempfile::tempdir().expect("a folder");
        let theirs = dir.path().join("theirs");
        let claim = |uid: u32| {
            std::fs::create_dir(&theirs).map_err(|error| error.to_string())?;
            std::os::unix::fs::chown(&theirs, Some(uid), None).map_err(|error| error.to_string())?;
            Ok(theirs.clone())
        };
        let none = |users: &mut Users| users.allocate(claim).is_err_and(|why| why.contains("in use"));
        let mut first = users(dir.path());
        assert_eq!(first.allocate(claim), Ok(theirs.clone()));
        first.release_if_gone(UID);
        assert!(none(&mut first), "its folder is there");
        assert!(none(&mut users(dir.path())), "another supervisor holds it");
        drop(first);
        assert!(none(&mut users(dir.path())), "its supervisor is gone, its folder is not");
        let mut process = Command::new("sleep").arg("600").uid(UID).spawn().expect("it starts");
        std::fs::remove_dir(&theirs).expect("removed");
        assert!(none(&mut users(dir.path())), "a process of it is there");
        process.kill().expect("killed");
        process.wait().expect("it ended");
        // Children that other tests start at this moment still have its lock.
        while users(dir.path()).allocate(claim).is_err() {}
    }
}
