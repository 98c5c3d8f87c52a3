//! Makes a workspace have what a pack says. Each path is opened without any link on its way.

use std::fs::File;
use std::io::{BufReader, Read};
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Timespec, Timestamps};
use rustix::io::Errno;

use super::entry::{Part, PartKind, read_header};
use super::place::place;

pub(super) fn unpack(top: &OwnedFd, input: File) -> Result<(), String> {
    let mut input = BufReader::with_capacity(1 << 20, input);
    let parts: Vec<Part> = read_header(&mut input).map_err(|error| format!("the pack could not be read: {error}"))?;
    // What is in a folder goes before the folder.
    for part in parts.iter().rev().filter(|part| part.kind == PartKind::Gone) {
        remove(top, &part.path)?;
    }
    for part in &parts {
        match &part.kind {
            PartKind::Gone => {}
            PartKind::Folder => folder(top, &part.path)?,
            PartKind::Link { target } => {
                let (parent, name) = cleared(top, &part.path)?;
                rustix::fs::symlinkat(target, &parent, name).map_err(|error| failed(&part.path, error))?;
            }
            PartKind::File { size, mtime_ns } => file(top, part, input.by_ref().take(*size), *size, *mtime_ns)?,
        }
    }
    // Afterwards: in one that is read-only no file could have been written.
    for part in parts.iter().rev().filter(|part| part.kind == PartKind::Folder) {
        let (parent, name) = place(top, &part.path, false)?;
        let mode = Mode::from_raw_mode(part.mode & 0o777);
        rustix::fs::chmodat(&parent, name, mode, AtFlags::empty()).map_err(|error| failed(&part.path, error))?;
    }
    Ok(())
}

fn failed(path: &str, error: Errno) -> String {
    format!("`{path}` could not be written: {error}")
}

/// A folder that is not empty keeps its name: what is in it was in no list.
fn remove(top: &OwnedFd, path: &str) -> Result<(), String> {
    let Ok((parent, name)) = place(top, path, false) else { return Ok(()) };
    let removed = match rustix::fs::unlinkat(&parent, &name, AtFlags::empty()) {
        Err(Errno::ISDIR) => rustix::fs::unlinkat(&parent, &name, AtFlags::REMOVEDIR),
        removed => removed,
    };
    match removed {
        Ok(()) | Err(Errno::NOENT | Errno::NOTEMPTY) => Ok(()),
        Err(error) => Err(failed(path, error)),
    }
}

/// The place of a path at which nothing is any more.
fn cleared(top: &OwnedFd, path: &str) -> Result<(OwnedFd, std::ffi::OsString), String> {
    let (parent, name) = place(top, path, true)?;
    remove(top, path)?;
    Ok((parent, name))
}

fn folder(top: &OwnedFd, path: &str) -> Result<(), String> {
    let (parent, name) = place(top, path, true)?;
    let is_folder = rustix::fs::statat(&parent, &name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory);
    if is_folder {
        return rustix::fs::chmodat(&parent, &name, Mode::RWXU, AtFlags::empty()).map_err(|error| failed(path, error));
    }
    remove(top, path)?;
    rustix::fs::mkdirat(&parent, &name, Mode::RWXU).map_err(|error| failed(path, error))
}

fn file(top: &OwnedFd, part: &Part, mut content: impl Read, size: u64, mtime_ns: i64) -> Result<(), String> {
    let (parent, name) = cleared(top, &part.path)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(part.mode & 0o777);
    let opened = rustix::fs::openat(&parent, &name, flags, mode).map_err(|error| failed(&part.path, error))?;
    // Whatever the mask of this process is.
    rustix::fs::fchmod(&opened, mode).map_err(|error| failed(&part.path, error))?;
    let mut opened = File::from(opened);
    let copied = std::io::copy(&mut content, &mut opened).map_err(|error| format!("`{}`: {error}", part.path))?;
    if copied != size {
        return Err(format!("the pack ends within `{}`", part.path));
    }
    let time = Timespec { tv_sec: mtime_ns.div_euclid(1_000_000_000), tv_nsec: mtime_ns.rem_euclid(1_000_000_000) };
    let times = Timestamps { last_access: time, last_modification: time };
    rustix::fs::futimens(&opened, &times).map_err(|error| failed(&part.path, error))
}

#[cfg(test)]
mod tests {
    use std::fs::{File, Permissions};
    use std::io::{Seek, Write};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

    use super::super::entry::{Part, PartKind, write_header};
    use super::super::job::{TreeOp, run};

    fn file_of(value: &impl serde::Serialize, contents: &str) -> File {
        let mut file = tempfile::tempfile().expect("a file");
        write_header(value, &mut file).expect("written");
        file.write_all(contents.as_bytes()).expect("written");
        file.rewind().expect("a file");
        file
    }

    fn unpack(folder: &Path, parts: &[Part], contents: &str) -> Result<(), String> {
        run(folder, &TreeOp::Unpack, file_of(&parts, contents), File::open("/dev/null").expect("open"))
    }

    fn part(path: &str, mode: u32, kind: PartKind) -> Part {
        Part { path: path.to_owned(), mode, kind }
    }

    #[test]
    fn what_is_packed_is_unpacked_elsewhere_byte_for_byte() {
        let [from, to] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        std::fs::create_dir_all(from.path().join("a/closed")).expect("folders");
        for (name, text) in [("a/one", "1"), ("a/closed/two", "22"), ("empty", "")] {
            std::fs::write(from.path().join(name), text).expect("a file");
        }
        symlink("../one", from.path().join("a/closed/link")).expect("a link");
        for (name, mode) in [("a/one", 0o755), ("a/closed", 0o555)] {
            std::fs::set_permissions(from.path().join(name), Permissions::from_mode(mode)).expect("set");
        }
        let mut pack = tempfile::tempfile().expect("a file");
        let folders = file_of(&[""], "");
        run(from.path(), &TreeOp::PackFolders, folders, pack.try_clone().expect("a file")).expect("packed");
        pack.rewind().expect("a file");
        run(to.path(), &TreeOp::Unpack, pack, File::open("/dev/null").expect("open")).expect("unpacked");
        let at = |name: &str| to.path().join(name);
        assert_eq!(std::fs::read_to_string(at("a/closed/two")).expect("a file"), "22");
        assert_eq!(std::fs::read_to_string(at("empty")).expect("a file"), "");
        assert_eq!(std::fs::read_link(at("a/closed/link")).expect("a link"), Path::new("../one"));
        let mode = |name: &str| at(name).metadata().expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode("a/one"), mode("a/closed")), (0o755, 0o555));
        let time = |folder: &Path| folder.join("a/one").metadata().expect("it is there").modified().expect("a time");
        assert_eq!(time(to.path()), time(from.path()), "build tools compare it");
    }

    #[test]
    fn what_goes_goes_and_what_changes_its_kind_does() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(dir.path().join("was/folder")).expect("folders");
        std::fs::write(dir.path().join("was/folder/x"), "x").expect("a file");
        std::fs::write(dir.path().join("file"), "x").expect("a file");
        let parts = [
            part("file", 0o755, PartKind::Folder),
            part("file/new", 0o600, PartKind::File { size: 3, mtime_ns: 0 }),
            part("was", 0o644, PartKind::File { size: 2, mtime_ns: 0 }),
            part("was/folder", 0, PartKind::Gone),
            part("was/folder/x", 0, PartKind::Gone),
        ];
        unpack(dir.path(), &parts, "newis").expect("unpacked");
        assert_eq!(std::fs::read_to_string(dir.path().join("file/new")).expect("a file"), "new");
        assert_eq!(std::fs::read_to_string(dir.path().join("was")).expect("a file"), "is");
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let outer = tempfile::tempdir().expect("a folder");
        let dir = outer.path().join("w");
        std::fs::create_dir_all(&dir).expect("a folder");
        symlink(outer.path(), dir.join("out")).expect("a link");
        for path in ["out/x", "../x", "/x", "a/../../x"] {
            assert!(unpack(&dir, &[part(path, 0o644, PartKind::File { size: 1, mtime_ns: 0 })], "x").is_err(), "{path}");
        }
        assert!(!outer.path().join("x").exists());
        let short = unpack(&dir, &[part("short", 0o644, PartKind::File { size: 9, mtime_ns: 0 })], "x");
        assert!(short.is_err_and(|why| why.contains("ends within")));
    }
}
