use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nofx_shared::engine::Failure;

/// A temporary folder that nobody else can enter: its name cannot be guessed, and it is created, never found. It is removed when this is
/// dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// `purpose` begins the name, for people who find one.
    pub(crate) fn new(purpose: &str) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix(&format!("nofx-{purpose}-")).permissions(Permissions::from_mode(0o700)).tempdir();
        folder
            .map(|folder| Self(folder.keep()))
            .map_err(|error| Failure::transient(format!("could not create a temporary folder: {error}")))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, path = %self.0.display(), "could not remove a temporary folder");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::Scratch;

    #[test]
    fn only_its_owner_can_enter_it_and_it_goes_with_what_is_in_it() {
        let (one, other) = (Scratch::new("test").expect("a folder"), Scratch::new("test").expect("a folder"));
        assert_ne!(one.path(), other.path());
        let path = one.path().to_owned();
        assert_eq!(std::fs::metadata(&path).expect("a folder").permissions().mode() & 0o777, 0o700);
        std::fs::create_dir(path.join("inside")).expect("a folder");
        drop(one);
        assert!(!path.exists() && other.path().exists());
    }
}
