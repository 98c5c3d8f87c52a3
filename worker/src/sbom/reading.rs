//! The files of a workspace as a bill reads them: until its step is stopped, and to limits for all of them together, so that no workspace
//! makes a bill without end.

use std::cell::Cell;

use nofx_sandbox::{Files, Kind};
use tokio_util::sync::CancellationToken;

use super::content;

/// Most bytes of all files of one bill: the manifests of 100,000 installed packages have some 250 MB.
const BYTES: u64 = 512 << 20;
/// Most names in all folders that are listed.
const NAMES: u64 = 4_000_000;

pub(super) struct Reading<'a> {
    files: &'a Files,
    stop: &'a CancellationToken,
    bytes: Left,
    names: Left,
}

/// How much may still be read; what goes beyond it is left out, and so is all that follows.
struct Left {
    most: u64,
    left: Cell<u64>,
    what: &'static str,
}

impl<'a> Reading<'a> {
    pub(super) fn new(files: &'a Files, stop: &'a CancellationToken) -> Self {
        Self::limited(files, stop, BYTES, NAMES)
    }

    fn limited(files: &'a Files, stop: &'a CancellationToken, bytes: u64, names: u64) -> Self {
        let left = |most, what| Left { most, left: Cell::new(most), what };
        Self { files, stop, bytes: left(bytes, "bytes of files"), names: left(names, "names in folders") }
    }

    /// The text of a file without its byte order mark; none when there is no such file.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, String> {
        self.content(name)?.map(content::text_of).transpose()
    }

    /// The bytes of a file; none when there is no such file.
    pub(super) fn content(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        self.check(&self.bytes)?;
        let found = content::content(self.files, name)?;
        found.map(|bytes| self.bytes.take(bytes.len()).map(|()| bytes)).transpose()
    }

    /// The names in a folder, sorted; none when nothing is at the path.
    pub(super) fn list(&self, path: &str) -> Result<Option<Vec<(String, Kind)>>, String> {
        self.check(&self.names)?;
        let found = self.files.list(path)?;
        found.map(|names| self.names.take(names.len()).map(|()| names)).transpose()
    }

    /// What is at a path; nothing once the step is stopped.
    pub(super) fn kind(&self, path: &str) -> Option<Kind> {
        if self.stop.is_cancelled() { None } else { self.files.kind(path) }
    }

    fn check(&self, left: &Left) -> Result<(), String> {
        if self.stop.is_cancelled() { Err("was not read: the step is stopped".to_owned()) } else { left.take(0) }
    }
}

impl Left {
    fn take(&self, count: usize) -> Result<(), String> {
        let left = self.left.get().checked_sub(count as u64).filter(|left| *left > 0);
        self.left.set(left.unwrap_or_default());
        left.map(drop).ok_or_else(|| format!("is left out: a bill reads {} {}", self.most, self.what))
    }
}

#[cfg(test)]
mod tests {
    use nofx_sandbox::Files;
    use tokio_util::sync::CancellationToken;

    use super::Reading;

    #[test]
    fn all_files_and_folders_of_a_bill_have_limits_together() {
        let dir = tempfile::tempdir().expect("a folder");
        for name in ["a", "b", "c"] {
            std::fs::write(dir.path().join(name), "12345").expect("written");
        }
        let (files, stop) = (Files::own(dir.path()).expect("open"), CancellationToken::new());
        let reading = Reading::limited(&files, &stop, 10, 4);
        assert_eq!(reading.content("a"), Ok(Some(b"12345".to_vec())));
        assert_eq!(reading.text("none"), Ok(None), "what is not there takes nothing");
        let over = Err("is left out: a bill reads 10 bytes of files".to_owned());
        assert_eq!((reading.content("b"), reading.content("none")), (over.clone(), over), "nor is what follows read");
        assert_eq!(reading.list("").map(|names| names.map(|names| names.len())), Ok(Some(3)));
        assert_eq!(reading.list(""), Err("is left out: a bill reads 4 names in folders".to_owned()));
    }

    #[test]
    fn nothing_is_read_once_the_step_is_stopped() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("a"), "1").expect("written");
        let (files, stop) = (Files::own(dir.path()).expect("open"), CancellationToken::new());
        let reading = Reading::new(&files, &stop);
        assert!(reading.kind("a").is_some() && reading.text("a").is_ok_and(|text| text.is_some()));
        stop.cancel();
        assert!(reading.kind("a").is_none() && reading.text("a").is_err() && reading.list("").is_err());
    }
}
