//! The parent's side of the descriptors.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use rustix::fs::{Mode, OFlags};

use super::{Report, Spec};

/// What a helper is given, and where it reports: two files in memory; and this program, which its user may not find by its path. Children
/// inherit them; the helper closes what is not its own. To be kept until it was started.
pub struct Handover {
    spec: File,
    report: File,
    exe: OwnedFd,
}

impl Handover {
    pub fn new(spec: &Spec) -> io::Result<Self> {
        Self::of(&serde_json::to_vec(spec)?, &spec.exe)
    }

    /// With a description that may be none.
    pub fn of(description: &[u8], exe: &Path) -> io::Result<Self> {
        Self::with(description, exe, file()?)
    }

    /// With a file for the report that this process has inherited.
    pub(super) fn reporting_to(spec: &Spec, report: File) -> io::Result<Self> {
        Self::with(&serde_json::to_vec(spec)?, &spec.exe, report)
    }

    fn with(description: &[u8], exe: &Path, report: File) -> io::Result<Self> {
        let mut spec = file()?;
        spec.write_all(description)?;
        // A process of the same user could write to it otherwise, before the helper reads it.
        let seals = SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL;
        fcntl(&spec, FcntlArg::F_ADD_SEALS(seals))?;
        Ok(Self { spec, report, exe: rustix::fs::open(exe, OFlags::PATH, Mode::empty())? })
    }

    /// The description's and the report's: arguments of the helper.
    pub fn descriptors(&self) -> [i32; 2] {
        [self.spec.as_raw_fd(), self.report.as_raw_fd()]
    }

    /// This program's.
    pub(super) fn exe(&self) -> i32 {
        self.exe.as_raw_fd()
    }

    /// What the helper reported; none before it did, and for ever when it was killed before that.
    pub fn report(&mut self) -> io::Result<Option<Report>> {
        let mut text = vec![];
        self.report.rewind()?;
        self.report.read_to_end(&mut text)?;
        if text.is_empty() { Ok(None) } else { Ok(Some(serde_json::from_slice(&text)?)) }
    }
}

/// In memory, and inherited.
fn file() -> io::Result<File> {
    Ok(memfd_create("nofx", MFdFlags::MFD_ALLOW_SEALING).map(File::from)?)
}
