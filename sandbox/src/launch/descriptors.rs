//! What the helper inherits. Its parent names files by the numbers of descriptors; a number is no descriptor that safe code may own, so the
//! file is opened again through `/proc`. That works for a memfd, whoever made it (its mode is 0777), and not for pipes of other users.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};

use nix::errno::Errno;

use super::error::Error;
use super::{Report, Spec};

/// More than arguments and environment may be in Linux (`ARG_MAX` is 2 MiB) with all of it escaped.
const SPEC_BYTES: u64 = 16 << 20;

fn path(number: i32) -> String {
    format!("/proc/self/fd/{number}")
}

/// Reads the description of what to start.
pub(super) fn read_spec(number: i32) -> Result<Spec, Error> {
    let mut text = Vec::new();
    let file = File::open(path(number)).map_err(|error| Error::NoSpec(number, error))?;
    file.take(SPEC_BYTES).read_to_end(&mut text).map_err(|error| Error::NoSpec(number, error))?;
    serde_json::from_slice(&text).map_err(|error| Error::BadSpec(number, error))
}

/// The file for the report; not inherited by the program.
pub(super) fn open_report(number: i32) -> Result<File, Error> {
    OpenOptions::new().write(true).open(path(number)).map_err(|error| Error::NoReport(number, error))
}

/// Replaces what the file says.
pub(super) fn write_report(file: &mut File, report: &Report) -> Result<(), Error> {
    let error = |error| Error::System("write the report", error);
    let text = serde_json::to_vec(report).map_err(|cause| error(cause.into()))?;
    file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(&text)).map_err(error)
}

/// Closes all inherited descriptors but the three standard ones. Those that this process opened close themselves when it becomes the program.
pub(super) fn close_inherited() -> Result<(), Error> {
    let error = |error| Error::System("list the open descriptors", error);
    let mut inherited = vec![];
    for entry in std::fs::read_dir("/proc/self/fd").map_err(error)? {
        if let Some(number) = entry.map_err(error)?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) {
            inherited.push(number);
        }
    }
    for number in inherited.into_iter().filter(|number| *number > 2 && !closes_itself(*number)) {
        match nix::unistd::close(number) {
            Ok(()) | Err(Errno::EBADF) => {}
            Err(errno) => return Err(Error::System("close an inherited descriptor", errno.into())),
        }
    }
    Ok(())
}

/// Whether it is closed by `exec`; if that cannot be found out it is none of ours.
fn closes_itself(number: i32) -> bool {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & u32::try_from(nix::libc::O_CLOEXEC).unwrap_or(0) != 0)
}
