//! Folders that other users cannot enter, such as a home, hide what steps need: the worker's program, its workspaces, toolchains. With the
//! right to mount, such a folder is replaced by an empty one, in the view of the supervisor and its steps only, with what they need at its
//! place. The probe of a host looks by the same view.

use std::fs::{DirBuilder, File};
use std::io::Error;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use rustix::fs::{Mode, OFlags};

/// Makes these paths reachable for users of steps. `is_writable`: the rest is mounted read-only.
pub(crate) fn open_up(needed: &[(PathBuf, bool)]) -> Result<(), Error> {
    let hidden: Vec<(PathBuf, &Path, bool)> =
        needed.iter().filter_map(|(path, is_writable)| Some((closed(path)?, path.as_path(), *is_writable))).collect();
    if hidden.is_empty() {
        return Ok(());
    }
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)?;
    let mut closed: Vec<&PathBuf> = hidden.iter().map(|(closed, ..)| closed).collect();
    closed.sort();
    closed.dedup();
    for home in closed {
        let mut inside: Vec<(&Path, bool, OwnedFd)> = vec![];
        for (_, path, is_writable) in hidden.iter().filter(|(closed, ..)| closed == home) {
            inside.push((path, *is_writable, rustix::fs::open(*path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?));
        }
        inside.sort_by_key(|(path, ..)| path.components().count());
        mount(Some("none"), home, Some("tmpfs"), MsFlags::MS_NOSUID | MsFlags::MS_NODEV, Some("mode=755,size=1m"))?;
        for (path, is_writable, place) in inside {
            bind(path, is_writable, &place)?;
        }
    }
    Ok(())
}

fn bind(path: &Path, is_writable: bool, place: &OwnedFd) -> Result<(), Error> {
    let source = PathBuf::from(format!("/proc/self/fd/{}", place.as_raw_fd()));
    let is_folder = std::fs::metadata(&source)?.is_dir();
    // One that is inside of another is there already.
    if !path.exists() {
        let folder = if is_folder { path } else { path.parent().unwrap_or(path) };
        DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
        if !is_folder {
            File::create(path)?;
        }
    }
    mount(Some(&source), path, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)?;
    if !is_writable {
        let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY | MsFlags::MS_NOSUID;
        mount(None::<&str>, path, None::<&str>, flags, None::<&str>)?;
    }
    Ok(())
}

/// The outermost folder above a path that other users cannot enter.
pub(crate) fn closed(path: &Path) -> Option<PathBuf> {
    let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
    above.reverse();
    let is_closed = |folder: &&&Path| std::fs::metadata(folder).is_ok_and(|meta| meta.permissions().mode() & 0o001 == 0);
    above.iter().find(is_closed).map(|folder| folder.to_path_buf())
}
