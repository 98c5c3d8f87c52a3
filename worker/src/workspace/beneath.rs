//! Reads files below a folder without ever leaving it: the kernel resolves each path beneath the folder, so that no link, and no folder
//! that is exchanged for one meanwhile, leads out of it. A fifo or a device is refused before it is read.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::dir::{Dir, Type};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{SFlag, fstat, fstatat};

/// Most names of one folder.
const ENTRIES: usize = 100_000;
/// A rename along the path makes the kernel answer that it should be resolved again: so often at most.
const ATTEMPTS: usize = 16;

/// A folder that is open: it stays the same one when its path changes.
pub(crate) struct Beneath(OwnedFd);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    File,
    Folder,
    Link,
    /// A fifo, a socket or a device.
    Other,
}

impl Beneath {
    pub(crate) fn open(dir: &Path) -> std::io::Result<Self> {
        let folder = File::options().read(true).custom_flags((OFlag::O_DIRECTORY | OFlag::O_CLOEXEC).bits()).open(dir)?;
        Ok(Self(folder.into()))
    }

    /// What is at a path, without following a link at its end; none when nothing is there.
    pub(crate) fn kind(&self, path: &str) -> Option<Kind> {
        let stat = fstatat(&self.0, path, AtFlags::AT_SYMLINK_NOFOLLOW).ok()?;
        Some(match SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT {
            SFlag::S_IFREG => Kind::File,
            SFlag::S_IFDIR => Kind::Folder,
            SFlag::S_IFLNK => Kind::Link,
            _ => Kind::Other,
        })
    }

    /// The bytes of a file; none when nothing is at the path. The error says what is wrong with what is there.
    pub(crate) fn read(&self, path: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, String> {
        // Without O_NONBLOCK a fifo would be waited for.
        let Some(file) = self.resolve(path, OFlag::O_NONBLOCK | OFlag::O_NOCTTY)? else { return Ok(None) };
        let stat = fstat(&file).map_err(|error| format!("could not be read: {error}"))?;
        if SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
            return Err("is not a regular file".to_owned());
        }
        let too_large = || format!("is larger than {max_bytes} bytes");
        if u64::try_from(stat.st_size).is_ok_and(|size| size > max_bytes) {
            return Err(too_large());
        }
        let mut bytes = vec![];
        // It may grow while it is read.
        File::from(file).take(max_bytes + 1).read_to_end(&mut bytes).map_err(|error| format!("could not be read: {error}"))?;
        if bytes.len() as u64 > max_bytes { Err(too_large()) } else { Ok(Some(bytes)) }
    }

    /// The names in a folder, sorted; none when nothing is at the path.
    pub(crate) fn list(&self, path: &str) -> Result<Option<Vec<(String, Kind)>>, String> {
        let Some(folder) = self.resolve(path, OFlag::O_DIRECTORY)? else { return Ok(None) };
        let failed = |error: Errno| format!("could not be listed: {error}");
        let mut names = vec![];
        for entry in Dir::from_fd(folder).map_err(failed)?.iter() {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_str().map_err(|_| "has a name that is not UTF-8".to_owned())?;
            if matches!(name, "." | "..") {
                continue;
            }
            if names.len() == ENTRIES {
                return Err(format!("has more than {ENTRIES} names"));
            }
            let kind = match entry.file_type() {
                Some(Type::File) => Kind::File,
                Some(Type::Directory) => Kind::Folder,
                Some(Type::Symlink) => Kind::Link,
                Some(_) => Kind::Other,
                // Some file systems do not say it in the list.
                None => self.kind(&format!("{path}/{name}")).unwrap_or(Kind::Other),
            };
            names.push((name.to_owned(), kind));
        }
        names.sort();
        Ok(Some(names))
    }

    /// Opens a path to read it. Links are followed as long as they stay below the folder.
    fn resolve(&self, path: &str, flags: OFlag) -> Result<Option<OwnedFd>, String> {
        let resolve = ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS;
        let how = OpenHow::new().flags(OFlag::O_RDONLY | OFlag::O_CLOEXEC | flags).resolve(resolve);
        let mut result = Err(Errno::EAGAIN);
        for _ in 0..ATTEMPTS {
            result = openat2(&self.0, path, how);
            if !matches!(result, Err(Errno::EAGAIN)) {
                break;
            }
        }
        match result {
            Ok(file) => Ok(Some(file)),
            Err(Errno::ENOENT) if self.kind(path).is_some() => Err("is a link to nothing".to_owned()),
            Err(Errno::ENOENT) => Ok(None),
            Err(Errno::EXDEV) => Err("is or goes through a link out of the workspace".to_owned()),
            Err(Errno::ELOOP) => Err("is or goes through a loop of links".to_owned()),
            Err(Errno::ENOTDIR) => Err("is not a folder".to_owned()),
            Err(Errno::ENXIO) => Err("is not a regular file".to_owned()),
            Err(error) => Err(format!("could not be opened: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::{Beneath, Kind};

    #[test]
    fn nothing_outside_is_read_and_nothing_is_waited_for() {
        let outer = tempfile::tempdir().expect("a folder");
        let dir = outer.path().join("in");
        std::fs::create_dir_all(dir.join("sub")).expect("a folder");
        std::fs::write(outer.path().join("secret"), "s").expect("written");
        std::fs::write(dir.join("sub/file"), "12345").expect("written");
        mkfifo(&dir.join("fifo"), Mode::S_IRWXU).expect("a fifo");
        for (target, link) in [
            ("sub/file", "inside"),
            ("../secret", "out"),
            ("..", "up"),
            ("loop", "loop"),
            ("/etc/passwd", "absolute"),
            ("nowhere", "dangling"),
            ("/proc/self/fd/0", "magic"),
        ] {
            symlink(target, dir.join(link)).expect("a link");
        }
        let folder = Beneath::open(&dir).expect("open");
        for path in ["inside", "sub/file", "./sub/../sub/file"] {
            assert_eq!(folder.read(path, 5), Ok(Some(b"12345".to_vec())), "{path}");
        }
        assert_eq!(folder.read("none", 5), Ok(None));
        for (path, why) in [
            ("sub/file", "larger than 4 bytes"),
            ("out", "out of the workspace"),
            ("../secret", "out of the workspace"),
            ("up/secret", "out of the workspace"),
            ("absolute", "out of the workspace"),
            ("magic", "out of the workspace"),
            ("loop", "loop of links"),
            ("dangling", "link to nothing"),
            ("fifo", "not a regular file"),
            ("sub", "not a regular file"),
            ("sub/file/more", "not a folder"),
        ] {
            assert!(folder.read(path, 4).is_err_and(|error| error.contains(why)), "{path}: {:?}", folder.read(path, 4));
        }
        assert_eq!(folder.list("sub"), Ok(Some(vec![("file".to_owned(), Kind::File)])));
        assert_eq!(folder.list("none"), Ok(None));
        assert!(folder.list("up").is_err() && folder.list("fifo").is_err() && folder.list("sub/file").is_err());
        assert_eq!([folder.kind("out"), folder.kind("fifo"), folder.kind("none")], [Some(Kind::Link), Some(Kind::Other), None]);
    }
}
