//! Removes a folder whose content a step's user made, with that user's rights for files: no process of that user does it, which others of
//! the user could take over. The folder itself is in one of the supervisor's.

use std::ffi::CString;
use std::io::{Error, ErrorKind};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use nix::dir::Dir;
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use crate::as_user::AsUser;
use crate::wire::{FromKeeper, Removal, Socket};

/// Names that are read at once.
const NAMES: usize = 10_000;
/// A process that is being ended may still write: so often it is tried again, after a pause.
const ATTEMPTS: usize = 20;
const PAUSE: Duration = Duration::from_millis(100);
/// Where every user may leave files: below L2 a program writes there, and no other one may have its user's id while they are there.
pub(super) const SHARED: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];

/// Removes the folder that the supervisor names on standard input, and reports.
pub(crate) fn remove_folder() -> Result<(), String> {
    let supervisor = Socket::from_stdin().map_err(|error| error.to_string())?;
    let Some((Removal { folder, uid, is_last }, _)) = supervisor.receive().map_err(|error| error.to_string())? else { return Ok(()) };
    let removed = match uid.filter(|_| is_last) {
        Some(uid) => remove_last(&folder, uid, &SHARED.map(Path::new)),
        None => remove(&folder, uid),
    };
    let report = removed.clone().map_or_else(FromKeeper::Failed, |()| FromKeeper::Done);
    drop(supervisor.send(&report, &[]));
    removed
}

/// Removes the last folder of a user, and before that what the user has left where everybody may: while the folder is there, nobody else gets
/// the user's id.
fn remove_last(folder: &Path, uid: u32, shared: &[&Path]) -> Result<(), String> {
    // Whatever is wrong elsewhere, its content goes.
    let _ = empty_as(folder, Some(uid));
    for place in shared {
        try_again(place, || remove_of_owner(place, uid))?;
    }
    remove(folder, Some(uid))
}

/// Removes what the user owns directly in a folder.
fn remove_of_owner(place: &Path, uid: u32) -> Result<(), Error> {
    let _rights = AsUser::new(uid).map_err(Error::other)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::open(place, flags, Mode::empty()) {
        Ok(top) => Ok(Emptying { top, owner: Some(uid), moved: 0 }.run()?),
        // It is not there, or not for everybody.
        Err(_) => Ok(()),
    }
}

/// The error says what stays.
pub(super) fn remove(folder: &Path, uid: Option<u32>) -> Result<(), String> {
    try_again(folder, || remove_once(folder, uid))
}

fn try_again(folder: &Path, mut remove: impl FnMut() -> Result<(), Error>) -> Result<(), String> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match remove() {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty && attempts < ATTEMPTS => std::thread::sleep(PAUSE),
            removed => return removed.map_err(|error| format!("could not remove {}: {error}", folder.display())),
        }
    }
}

fn remove_once(folder: &Path, uid: Option<u32>) -> Result<(), Error> {
    let emptied = empty_as(folder, uid);
    match std::fs::remove_dir(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(emptied.err().unwrap_or(error)),
        _ => Ok(()),
    }
}

fn empty_as(folder: &Path, uid: Option<u32>) -> Result<(), Error> {
    let _rights = uid.map(AsUser::new).transpose().map_err(Error::other)?;
    // Its own user may have closed it.
    let _ = rustix::fs::chmod(folder, Mode::RWXU);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let top = rustix::fs::open(folder, flags, Mode::empty())?;
    Ok(Emptying { top, owner: None, moved: 0 }.run()?)
}

/// A folder that becomes empty. What is in the folders below is moved up into it first: so a tree of any depth needs two descriptors, and no
/// path.
struct Emptying {
    top: OwnedFd,
    /// Only what this user owns in it; none: all.
    owner: Option<u32>,
    /// For names of folders that were moved up.
    moved: u64,
}

impl Emptying {
    fn run(&mut self) -> Result<(), Errno> {
        loop {
            let names = names(&self.top, self.owner)?;
            if names.is_empty() {
                return Ok(());
            }
            let mut last = Ok(());
            let mut is_any_gone = false;
            for name in names {
                match self.remove(&name) {
                    Ok(()) | Err(Errno::NOENT) => is_any_gone = true,
                    Err(error) => last = Err(error),
                }
            }
            // What remains, remains.
            if !is_any_gone {
                return last;
            }
        }
    }

    fn remove(&mut self, name: &CString) -> Result<(), Errno> {
        match rustix::fs::unlinkat(&self.top, name, AtFlags::empty()) {
            Err(Errno::ISDIR) => {}
            done => return done,
        }
        let emptied = self.empty(name);
        rustix::fs::unlinkat(&self.top, name, AtFlags::REMOVEDIR).map_err(|error| emptied.err().unwrap_or(error))
    }

    /// Removes the files of a folder and moves its folders up.
    fn empty(&mut self, name: &CString) -> Result<(), Errno> {
        // It may be closed. If it is exchanged for a link meanwhile, what that names is the user's, too.
        let _ = rustix::fs::chmodat(&self.top, name, Mode::RWXU, AtFlags::empty());
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = rustix::fs::openat(&self.top, name, flags, Mode::empty())?;
        loop {
            let names = names(&folder, None)?;
            if names.is_empty() {
                return Ok(());
            }
            for name in names {
                match rustix::fs::unlinkat(&folder, &name, AtFlags::empty()) {
                    Ok(()) | Err(Errno::NOENT) => continue,
                    Err(Errno::ISDIR) => {}
                    Err(error) => return Err(error),
                }
                if rustix::fs::unlinkat(&folder, &name, AtFlags::REMOVEDIR).is_err() {
                    self.move_up(&folder, &name)?;
                }
            }
        }
    }

    fn move_up(&mut self, folder: &OwnedFd, name: &CString) -> Result<(), Errno> {
        // Only who may write to a folder moves it elsewhere.
        let _ = rustix::fs::chmodat(folder, name, Mode::RWXU, AtFlags::empty());
        loop {
            self.moved += 1;
            let to = format!(".removed-{}", self.moved);
            match rustix::fs::renameat_with(folder, name, &self.top, to, RenameFlags::NOREPLACE) {
                Err(Errno::EXIST) => {}
                Err(Errno::NOENT) => return Ok(()),
                done => return done,
            }
        }
    }
}

/// Some of the names in a folder, of what this user owns there; none when it is empty.
fn names(folder: &OwnedFd, owner: Option<u32>) -> Result<Vec<CString>, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let again = rustix::fs::openat(folder, c".", flags, Mode::empty())?;
    let failed = |error: nix::Error| Errno::from_raw_os_error(error as i32);
    let mut dir = Dir::from_fd(again).map_err(failed)?;
    let is_owned = |name: &CString, uid| rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).is_ok_and(|found| found.st_uid == uid);
    let is_other = |name: &CString| !matches!(name.to_bytes(), b"." | b"..") && owner.is_none_or(|uid| is_owned(name, uid));
    dir.iter()
        .map(|entry| entry.map(|entry| entry.file_name().to_owned()).map_err(failed))
        .filter(|name| name.as_ref().map_or(true, is_other))
        .take(NAMES)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};
    use std::path::Path;

    use rustix::fs::{CWD, Mode, OFlags};

    use super::{remove, remove_last};

    /// As root with the rights of somebody else for files, as a keeper has them; otherwise as who runs the test.
    fn uid() -> Option<u32> {
        nix::unistd::geteuid().is_root().then_some(219_001)
    }

    fn made(parent: &Path) -> std::path::PathBuf {
        std::fs::set_permissions(parent, Permissions::from_mode(0o755)).expect("own");
        let folder = parent.join("scratch");
        std::fs::create_dir(&folder).expect("a folder");
        folder
    }

    /// All of it belongs to the user then; links are not followed.
    fn give(folder: &Path) {
        let Some(uid) = uid() else { return };
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().expect("a type").is_dir() {
                give(&entry.path());
            } else {
                std::os::unix::fs::lchown(entry.path(), Some(uid), Some(uid)).expect("given");
            }
        }
        chown(folder, Some(uid), Some(uid)).expect("given");
    }

    #[test]
    fn what_is_closed_or_no_file_goes_and_what_links_name_stays() {
        let outer = tempfile::tempdir().expect("a folder");
        let folder = made(outer.path());
        let outside = outer.path().join("outside");
        std::fs::create_dir(&outside).expect("a folder");
        std::fs::write(outside.join("file"), "x").expect("a file");
        std::fs::create_dir_all(folder.join("a/closed/inside/.removed-1/b")).expect("folders");
        std::fs::create_dir_all(folder.join(".removed-2/c")).expect("folders");
        for n in 0..200 {
            std::fs::write(folder.join(format!("a/closed/{n}")), "x").expect("a file");
        }
        symlink(&outside, folder.join("a/out")).expect("a link");
        symlink(&outside, folder.join("out")).expect("a link");
        nix::unistd::mkfifo(&folder.join("a/fifo"), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
        give(&folder);
        for closed in ["a/closed/inside", "a/closed", "a", ""] {
            std::fs::set_permissions(folder.join(closed), Permissions::from_mode(0o000)).expect("closed");
        }
        assert_eq!(remove(&folder, uid()), Ok(()));
        assert!(!folder.exists() && outside.join("file").exists());
        assert_eq!(std::fs::metadata(&outside).expect("it is there").permissions().mode() & 0o777, 0o755);
        assert_eq!(remove(&folder, uid()), Ok(()), "what is gone is fine");
    }

    #[test]
    fn a_tree_that_no_path_reaches_goes_too() {
        let outer = tempfile::tempdir().expect("a folder");
        let folder = made(outer.path());
        let open = |at: &std::os::fd::OwnedFd, name: &str| {
            rustix::fs::openat(at, name, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).expect("a folder")
        };
        let mut at = rustix::fs::openat(CWD, &folder, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).expect("a folder");
        let name = "x".repeat(200);
        for _ in 0..3000 {
            rustix::fs::mkdirat(&at, &name, Mode::RWXU).expect("a folder");
            at = open(&at, &name);
        }
        assert_eq!(remove(&folder, None), Ok(()));
        assert!(!folder.exists());
    }

    #[test]
    fn what_a_user_has_left_where_everybody_may_goes_before_its_last_folder() {
        let Some(uid) = uid() else { return };
        let outer = tempfile::tempdir().expect("a folder");
        let folder = made(outer.path());
        let place = outer.path().join("tmp");
        std::fs::create_dir_all(place.join("theirs/deep/deeper")).expect("folders");
        for (name, owner) in [("file", uid), ("other", uid + 1), ("theirs/deep/deeper/file", uid)] {
            std::fs::write(place.join(name), "x").expect("a file");
            chown(place.join(name), Some(owner), Some(owner)).expect("given");
        }
        std::fs::create_dir(place.join("others")).expect("a folder");
        give(&place.join("theirs"));
        give(&folder);
        std::fs::set_permissions(&place, Permissions::from_mode(0o1777)).expect("as /tmp");
        let names = || std::fs::read_dir(&place).expect("a folder").count();
        assert_eq!(remove_last(&folder, uid, &[&place, "/no/such/folder".as_ref()]), Ok(()));
        assert!(!folder.exists() && names() == 2 && place.join("other").exists() && place.join("others").exists());
        // What cannot go keeps the folder, so that nobody gets the id.
        let folder = made(outer.path());
        std::fs::create_dir_all(place.join("mine/of-another/inside")).expect("folders");
        std::fs::write(folder.join("large"), "x").expect("a file");
        give(&folder);
        chown(place.join("mine"), Some(uid), Some(uid)).expect("given");
        let why = remove_last(&folder, uid, &[&place]).expect_err("it belongs to somebody else");
        assert!(why.contains("could not remove") && folder.exists() && !folder.join("large").exists(), "{why}");
    }

    #[test]
    fn what_belongs_to_somebody_else_stays_and_is_said() {
        let Some(uid) = uid() else { return };
        let outer = tempfile::tempdir().expect("a folder");
        let folder = made(outer.path());
        std::fs::create_dir(folder.join("ours")).expect("a folder");
        std::fs::write(folder.join("ours/file"), "x").expect("a file");
        chown(&folder, Some(uid), Some(uid)).expect("given");
        let why = remove(&folder, Some(uid)).expect_err("it is not the user's");
        assert!(why.contains("scratch") && folder.join("ours/file").exists(), "{why}");
    }
}
