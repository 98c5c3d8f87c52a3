//! Paths beneath an open folder. The kernel resolves each as a whole, so no link, and no folder that is exchanged for one meanwhile, leads
//! out. An error is a phrase that follows the path: "`report.xml` is not a regular file".

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::Kind;

/// A rename along the path makes the kernel answer that it should be resolved again: so often at most.
const ATTEMPTS: usize = 16;
/// Longest path; the kernel's own limit.
const PATH_BYTES: usize = 4095;

/// What is at a path, without following a link at its end; none when nothing is there.
pub(crate) fn kind(folder: BorrowedFd<'_>, path: &Path) -> Result<Option<Kind>, String> {
    let Some((parent, name)) = split(folder, path)? else { return Ok(Some(Kind::Folder)) };
    let Some(parent) = parent else { return Ok(None) };
    match rustix::fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode).into())),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(error) => Err(format!("could not be looked up: {error}")),
    }
}

/// A regular file, to read; none when nothing is there. A file with more names than one must belong to the folder's owner: who cannot read
/// another user's file could still have linked it.
pub(crate) fn read(folder: BorrowedFd<'_>, path: &Path) -> Result<Option<OwnedFd>, String> {
    // Without NONBLOCK a fifo would be waited for.
    let Some(file) = resolve(folder, path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)? else { return Ok(None) };
    let failed = |error: Errno| format!("could not be read: {error}");
    let stat = rustix::fs::fstat(&file).map_err(failed)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err("is not a regular file".to_owned());
    }
    if stat.st_nlink > 1 && stat.st_uid != rustix::fs::fstat(folder).map_err(failed)?.st_uid {
        return Err("is a hard link to a file of another user".to_owned());
    }
    Ok(Some(file))
}

/// A folder, to list; none when nothing is there.
pub(crate) fn list(folder: BorrowedFd<'_>, path: &Path) -> Result<Option<OwnedFd>, String> {
    resolve(folder, path, OFlags::RDONLY | OFlags::DIRECTORY)
}

/// A new regular file, to write, in place of a file or link that is there. Its folders are created.
pub(crate) fn create(folder: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd, String> {
    let (parent, name) = plain(folder, path, true)?.ok_or("is no name of a file")?;
    let failed = |error: Errno| match error {
        Errno::ISDIR => "is a folder".to_owned(),
        error => format!("could not be written: {error}"),
    };
    for _ in 0..ATTEMPTS {
        // Never into what is there: it may be a link, a fifo, or a file that has another name, too.
        match rustix::fs::unlinkat(&parent, &name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(failed(error)),
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(&parent, &name, flags, Mode::from_raw_mode(0o644)) {
            Err(Errno::EXIST) => {}
            file => return file.map_err(failed),
        }
    }
    Err("is created by another process again and again".to_owned())
}

/// Removes a file or link; nothing there is fine.
pub(crate) fn remove(folder: BorrowedFd<'_>, path: &Path) -> Result<(), String> {
    let Some((parent, name)) = plain(folder, path, false)? else { return Ok(()) };
    match rustix::fs::unlinkat(&parent, &name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(format!("could not be removed: {error}")),
    }
}

/// The folder of a path, and the name in it; none for the folder itself.
type Split<'a> = Option<(Option<OwnedFd>, &'a std::ffi::OsStr)>;

fn split<'a>(folder: BorrowedFd<'_>, path: &'a Path) -> Result<Split<'a>, String> {
    let Some(name) = path.file_name() else { return Ok(None) };
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    match resolve(folder, parent, OFlags::PATH | OFlags::DIRECTORY) {
        Ok(parent) => Ok(Some((parent, name))),
        Err(error) if error == NOT_A_FOLDER => Ok(Some((None, name))),
        Err(error) => Err(error),
    }
}

/// The folder of a path of plain names, without any link, created where it is missing and asked for.
pub(crate) fn plain(folder: BorrowedFd<'_>, path: &Path, is_created: bool) -> Result<Option<(OwnedFd, std::ffi::OsString)>, String> {
    let names: Vec<_> = path.components().filter(|part| *part != Component::CurDir).collect();
    if names.iter().any(|part| !matches!(part, Component::Normal(_))) || path.as_os_str().len() > PATH_BYTES {
        return Err("is not a path below the workspace".to_owned());
    }
    let Some((name, folders)) = names.split_last() else { return Ok(None) };
    let mut at = folder.try_clone_to_owned().map_err(|error| error.to_string())?;
    for part in folders {
        let next = || {
            rustix::fs::openat(&at, part.as_os_str(), OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
        };
        let opened = match next() {
            Err(Errno::NOENT) if !is_created => return Ok(None),
            Err(Errno::NOENT) => match rustix::fs::mkdirat(&at, part.as_os_str(), Mode::from_raw_mode(0o755)) {
                Ok(()) | Err(Errno::EXIST) => next(),
                Err(error) => Err(error),
            },
            opened => opened,
        };
        at = opened.map_err(|error| match error {
            Errno::NOTDIR | Errno::LOOP => "goes through something that is not a folder".to_owned(),
            error => format!("could not be reached: {error}"),
        })?;
    }
    Ok(Some((at, name.as_os_str().to_owned())))
}

const NOT_A_FOLDER: &str = "is not a folder";

/// Opens a path. Links are followed as long as they stay below the folder.
fn resolve(folder: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Result<Option<OwnedFd>, String> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let mut result = Err(Errno::AGAIN);
    for _ in 0..ATTEMPTS {
        result = rustix::fs::openat2(folder.as_fd(), path, flags | OFlags::CLOEXEC, Mode::empty(), resolve);
        if !matches!(result, Err(Errno::AGAIN)) {
            break;
        }
    }
    match result {
        Ok(file) => Ok(Some(file)),
        Err(Errno::NOENT) => match rustix::fs::statat(folder, path, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Err("is a link to nothing".to_owned()),
            Err(_) => Ok(None),
        },
        Err(Errno::XDEV) => Err("is or goes through a link out of the workspace".to_owned()),
        Err(Errno::LOOP) => Err("is or goes through a loop of links".to_owned()),
        Err(Errno::NOTDIR) => Err(NOT_A_FOLDER.to_owned()),
        Err(Errno::NXIO) => Err("is not a regular file".to_owned()),
        Err(Errno::NAMETOOLONG) => Err("has a name that is too long".to_owned()),
        Err(error) => Err(format!("could not be opened: {error}")),
    }
}
