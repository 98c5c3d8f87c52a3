//! A path of a workspace without any link: its folder, and its name there.

use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags};

use crate::files;

/// The folder of a path, created where it is missing and asked for, and the name in it.
pub(super) fn place(top: &OwnedFd, path: &str, is_created: bool) -> Result<(OwnedFd, OsString), String> {
    let found = files::plain(top.as_fd(), Path::new(path), is_created).map_err(|why| format!("`{path}` {why}"))?;
    found.ok_or_else(|| format!("`{path}` is not there"))
}

/// A regular file, and what is known of it. A file with more names than one must belong to the workspace's owner: who cannot read another
/// user's file could still have linked it.
pub(super) fn open(top: &OwnedFd, path: &str) -> Result<(OwnedFd, rustix::fs::Stat), String> {
    let (parent, name) = place(top, path, false)?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let failed = |error: rustix::io::Errno| format!("`{path}` could not be read: {error}");
    let file = rustix::fs::openat(&parent, name, flags, Mode::empty()).map_err(failed)?;
    let stat = rustix::fs::fstat(&file).map_err(failed)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(format!("`{path}` is not a regular file"));
    }
    if stat.st_nlink > 1 && stat.st_uid != rustix::fs::fstat(top).map_err(failed)?.st_uid {
        return Err(format!("`{path}` is a hard link to a file of another user"));
    }
    Ok((file, stat))
}
