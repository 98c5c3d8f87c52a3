use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nofx_sandbox::{Files, Sandbox};
use nofx_shared::engine::Failure;

/// A temporary folder of one user, who alone can enter it. It is removed when this is dropped.
pub(crate) struct Scratch {
    path: PathBuf,
    /// Who made it and removes it; none: this process.
    sandbox: Option<Sandbox>,
}

impl Scratch {
    /// Its name cannot be guessed, and it is created, never found.
    pub(super) fn own() -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("nofx-").permissions(Permissions::from_mode(0o700)).tempdir();
        folder
            .map(|folder| Self { path: folder.keep(), sandbox: None })
            .map_err(|error| Failure::transient(format!("could not create a temporary folder: {error}")))
    }

    pub(super) async fn confined(sandbox: Sandbox, like: Option<PathBuf>) -> Result<Self, Failure> {
        let made = tokio::task::spawn_blocking(move || sandbox.scratch(like).map(|path| Self { path, sandbox: Some(sandbox) })).await;
        let why = match made {
            Ok(Ok(made)) => return Ok(made),
            Ok(Err(why)) => why,
            Err(error) => error.to_string(),
        };
        Err(Failure::transient(format!("could not create a temporary folder: {why}")))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn files(&self) -> Result<Files, Failure> {
        match &self.sandbox {
            Some(sandbox) => Ok(sandbox.files(&self.path)),
            None => Files::own(&self.path).map_err(|error| Failure::transient(format!("could not open a temporary folder: {error}"))),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let removed = match &self.sandbox {
            // Nobody waits for it.
            Some(sandbox) => return sandbox.remove_later(&self.path),
            None => std::fs::remove_dir_all(&self.path),
        };
        if let Err(error) = removed {
            tracing::warn!(%error, path = %self.path.display(), "could not remove a temporary folder");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::Scratch;

    #[test]
    fn only_its_owner_can_enter_it_and_it_goes_with_what_is_in_it() {
        let (one, other) = (Scratch::own().expect("a folder"), Scratch::own().expect("a folder"));
        assert_ne!(one.path(), other.path());
        let path = one.path().to_owned();
        assert_eq!(std::fs::metadata(&path).expect("a folder").permissions().mode() & 0o777, 0o700);
        std::fs::create_dir(path.join("inside")).expect("a folder");
        drop(one);
        assert!(!path.exists() && other.path().exists());
    }
}
