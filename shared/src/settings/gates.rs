use std::path::PathBuf;

use super::{Invalid, Reader};

/// `NOFX_ADVISORY_DB`: a folder with the database of advisories for Rust (<https://rustsec.org>), which `gate:audit` compares a `Cargo.lock` with; default: cargo-audit
/// fetches it each time. Steps may read it at every level.
pub fn advisory_db() -> Result<Option<PathBuf>, Invalid> {
    let mut reader = Reader::default();
    let folder = reader.advisory_db();
    reader.finish(folder)
}

impl Reader {
    pub(super) fn advisory_db(&mut self) -> Option<PathBuf> {
        let folder = PathBuf::from(self.text("NOFX_ADVISORY_DB")?);
        if !folder.is_absolute() || !folder.is_dir() {
            self.problems.push(format!("NOFX_ADVISORY_DB: `{}` is not the absolute path of a folder", folder.display()));
        }
        Some(folder)
    }
}
