//! Packs what is at paths of a workspace: first what each is, then the contents of files.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, FileType, Mode, OFlags};

use super::entry::{Part, PartKind, read_header, write_header};
use super::list::{list_below, nanoseconds};
use super::place::{open, place};

/// Longest target of a link.
const TARGET_BYTES: usize = 4096;

pub(super) fn pack(top: &OwnedFd, input: File, output: File) -> Result<(), String> {
    let paths: Vec<String> = read_header(input).map_err(|error| format!("the paths to pack could not be read: {error}"))?;
    pack_paths(top, &paths, output)
}

pub(super) fn pack_folders(top: &OwnedFd, input: File, output: File) -> Result<(), String> {
    let folders: Vec<String> = read_header(input).map_err(|error| format!("the folders to pack could not be read: {error}"))?;
    let mut paths = vec![];
    for folder in folders {
        let at = if folder.is_empty() {
            top.try_clone().map_err(|error| error.to_string())?
        } else {
            let (parent, name) = place(top, &folder, false)?;
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let opened = rustix::fs::openat(&parent, name, flags, Mode::empty()).map_err(|error| format!("`{folder}`: {error}"))?;
            paths.push(folder.clone());
            opened
        };
        let below = list_below(at, &folder)?;
        paths.extend(below.into_iter().filter(|one| one.kind != crate::files::Kind::Other).map(|one| one.path));
    }
    pack_paths(top, &paths, output)
}

fn pack_paths(top: &OwnedFd, paths: &[String], output: File) -> Result<(), String> {
    let parts: Vec<Part> = paths.iter().map(|path| part(top, path)).collect::<Result<_, _>>()?;
    let mut output = BufWriter::with_capacity(1 << 20, output);
    let failed = |error: std::io::Error| format!("the pack was not written: {error}");
    write_header(&parts, &mut output).map_err(failed)?;
    for part in &parts {
        let PartKind::File { size, .. } = part.kind else { continue };
        let mut file = File::from(open(top, &part.path)?.0).take(size);
        let copied = std::io::copy(&mut file, &mut output).map_err(failed)?;
        if copied != size {
            return Err(format!("`{}` became shorter while it was read", part.path));
        }
    }
    output.flush().map_err(failed)
}

fn part(top: &OwnedFd, path: &str) -> Result<Part, String> {
    let failed = |error: rustix::io::Errno| format!("`{path}` could not be read: {error}");
    let (parent, name) = place(top, path, false)?;
    let stat = rustix::fs::statat(&parent, &name, AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
    let mode = stat.st_mode & 0o777;
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {
            let stat = open(top, path)?.1;
            PartKind::File { size: stat.st_size.unsigned_abs(), mtime_ns: nanoseconds(stat.st_mtime, stat.st_mtime_nsec) }
        }
        FileType::Directory => PartKind::Folder,
        FileType::Symlink => {
            let target = rustix::fs::readlinkat(&parent, &name, vec![]).map_err(failed)?.into_string();
            let target = target.ok().filter(|target| target.len() <= TARGET_BYTES);
            PartKind::Link { target: target.ok_or_else(|| format!("`{path}` is a link whose target is not UTF-8"))? }
        }
        _ => return Err(format!("`{path}` is neither a file nor a folder nor a link")),
    };
    Ok(Part { path: path.to_owned(), mode, kind })
}
