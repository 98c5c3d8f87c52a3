//! Lists a workspace. No link is followed, nothing but folders is opened, and all of it is bounded: a step may leave anything.

use std::ffi::CStr;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::dir::Dir;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};

use super::entry::{Listed, write_header};
use crate::files::Kind;

/// Most paths of a workspace, without what is left out.
const PATHS: usize = 200_000;
const DEPTH: usize = 128;
/// Longest path; the kernel's own limit.
const PATH_BYTES: usize = 4095;
/// Of all paths together.
const NAME_BYTES: usize = 32 << 20;
/// The clock of a file system moves in steps. Who lists waits until it has moved on since the last change, so that a later one has another
/// time, whatever happens next.
const CLOCK_STEP: Duration = Duration::from_millis(20);

pub(super) fn list(top: OwnedFd, left_out: &[String], output: File) -> Result<(), String> {
    let mut walk = Walk { left_out, listed: vec![], name_bytes: 0 };
    walk.enter(top, "", 0)?;
    walk.listed.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    settle(walk.listed.iter().map(|one| one.ctime_ns).max().unwrap_or(0));
    let mut output = BufWriter::new(output);
    write_header(&walk.listed, &mut output).and_then(|()| output.flush()).map_err(|error| format!("the list was not written: {error}"))
}

/// All that is in a folder, for whoever packs it.
pub(super) fn list_below(folder: OwnedFd, path: &str) -> Result<Vec<Listed>, String> {
    let mut walk = Walk { left_out: &[], listed: vec![], name_bytes: 0 };
    walk.enter(folder, path, 0)?;
    walk.listed.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(walk.listed)
}

/// Waits until a change from now on has a later time than this one.
fn settle(newest_ns: i64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX));
    let age = Duration::from_nanos(now.saturating_sub(newest_ns).max(0).unsigned_abs());
    std::thread::sleep(CLOCK_STEP.saturating_sub(age));
}

/// Since 1970.
pub(super) fn nanoseconds(seconds: i64, more: u64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(i64::try_from(more).unwrap_or(0))
}

struct Walk<'a> {
    left_out: &'a [String],
    listed: Vec<Listed>,
    name_bytes: usize,
}

impl Walk<'_> {
    fn enter(&mut self, folder: OwnedFd, path: &str, depth: usize) -> Result<(), String> {
        let failed = |error: &dyn std::fmt::Display| format!("the folder `{path}` could not be listed: {error}");
        let mut dir = Dir::from_fd(folder).map_err(|error| failed(&error))?;
        let mut folders = vec![];
        let at = dir.as_fd().try_clone_to_owned().map_err(|error| failed(&error))?;
        for entry in dir.iter() {
            let entry = entry.map_err(|error| failed(&error))?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let Some(mut listed) = self.listed(at.as_fd(), path, name)? else { continue };
            let is_named = name.to_str().is_ok() && listed.path.len() <= PATH_BYTES;
            if !is_named || listed.kind == Kind::Folder && depth == DEPTH {
                // It cannot be kept: whoever reads the list says so.
                listed.kind = Kind::Other;
            }
            self.name_bytes += listed.path.len();
            if self.listed.len() == PATHS || self.name_bytes > NAME_BYTES {
                return Err(format!("there are more than {PATHS} paths, or these have more than {NAME_BYTES} bytes"));
            }
            if listed.kind == Kind::Folder && !listed.is_left_out {
                folders.push((name.to_owned(), listed.path.clone()));
            }
            self.listed.push(listed);
        }
        drop(dir);
        for (name, path) in folders {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            match rustix::fs::openat(&at, &name, flags, Mode::empty()) {
                Ok(next) => self.enter(next, &path, depth + 1)?,
                // Its user has closed it.
                Err(rustix::io::Errno::ACCESS) => {
                    self.listed.iter_mut().rev().filter(|one| one.path == path).for_each(|one| one.kind = Kind::Other);
                }
                Err(error) => return Err(format!("the folder `{path}` could not be opened: {error}")),
            }
        }
        Ok(())
    }

    fn listed(&self, at: BorrowedFd<'_>, folder: &str, entry: &CStr) -> Result<Option<Listed>, String> {
        let name = entry.to_string_lossy();
        let path = if folder.is_empty() { name.clone().into_owned() } else { format!("{folder}/{name}") };
        let stat = match rustix::fs::statat(at, entry, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(error) => return Err(format!("`{path}` could not be looked up: {error}")),
        };
        let kind = Kind::from(FileType::from_raw_mode(stat.st_mode));
        let mode = stat.st_mode & 0o777;
        let is_left_out = kind == Kind::Folder && self.left_out.iter().any(|left_out| *left_out == name);
        if kind == Kind::Folder {
            return Ok(Some(Listed { path, kind, mode, size: 0, ctime_ns: 0, inode: 0, is_left_out }));
        }
        let ctime_ns = nanoseconds(stat.st_ctime, stat.st_ctime_nsec);
        Ok(Some(Listed { path, kind, mode, size: stat.st_size.unsigned_abs(), ctime_ns, inode: stat.st_ino, is_left_out }))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Seek;
    use std::os::unix::fs::symlink;
    use std::path::Path;
    use std::time::Instant;

    use super::super::entry::{Listed, read_header};
    use super::super::job::{TreeOp, run};
    use crate::files::Kind;

    fn list(folder: &Path) -> Result<Vec<Listed>, String> {
        let mut output = tempfile::tempfile().expect("a file");
        let op = TreeOp::List { left_out: vec!["node_modules".to_owned()] };
        run(folder, &op, File::open("/dev/null").expect("open"), output.try_clone().expect("a file"))?;
        output.rewind().expect("a file");
        Ok(read_header(output).expect("a list"))
    }

    #[test]
    fn links_are_not_followed_fifos_not_opened_and_caches_not_entered() {
        let outer = tempfile::tempdir().expect("a folder");
        let dir = outer.path().join("w");
        std::fs::create_dir_all(dir.join("src/node_modules/x")).expect("folders");
        std::fs::write(dir.join("src/a"), "12345").expect("a file");
        symlink("/etc", dir.join("etc")).expect("a link");
        nix::unistd::mkfifo(&dir.join("fifo"), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
        let listed = list(&dir).expect("a list");
        let found: Vec<_> = listed.iter().map(|one| (one.path.as_str(), one.kind, one.is_left_out)).collect();
        let expected = [
            ("etc", Kind::Link, false),
            ("fifo", Kind::Other, false),
            ("src", Kind::Folder, false),
            ("src/a", Kind::File, false),
            ("src/node_modules", Kind::Folder, true),
        ];
        assert_eq!(found, expected);
        assert_eq!(listed[3].size, 5);
    }

    #[test]
    fn a_change_right_after_a_list_is_seen_though_size_and_mtime_are_as_before() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a");
        std::fs::write(&path, "one").expect("a file");
        let before = list(dir.path()).expect("a list");
        let mtime = path.metadata().expect("a file").modified().expect("a time");
        std::fs::write(&path, "two").expect("a file");
        File::options().write(true).open(&path).expect("a file").set_modified(mtime).expect("set back");
        assert_ne!(list(dir.path()).expect("a list"), before);
    }

    #[test]
    fn what_cannot_be_kept_is_in_the_list_and_is_not_entered() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut deep = dir.path().to_owned();
        for _ in 0..140 {
            deep.push("d");
        }
        std::fs::create_dir_all(&deep).expect("folders");
        let name = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"\xff");
        std::fs::write(dir.path().join(name), "x").expect("a file");
        let listed = list(dir.path()).expect("a list");
        let others: Vec<_> = listed.iter().filter(|one| one.kind == Kind::Other).map(|one| one.path.len()).collect();
        assert_eq!((listed.len(), others), (130, vec![129 * 2 - 1, '\u{fffd}'.len_utf8()]));
    }

    /// The figure that `docs/repositories.md` names is of a release build; this only catches what is slow by a factor.
    #[test]
    fn ten_thousand_files_are_listed_in_no_time() {
        let dir = tempfile::tempdir().expect("a folder");
        for folder in 0..100 {
            let folder = dir.path().join(format!("d{folder}"));
            std::fs::create_dir(&folder).expect("a folder");
            for file in 0..100 {
                std::fs::write(folder.join(format!("f{file}")), "x").expect("a file");
            }
        }
        let began = Instant::now();
        assert_eq!(list(dir.path()).expect("a list").len(), 10_100);
        assert!(began.elapsed().as_millis() < 1000, "{:?}", began.elapsed());
    }
}
