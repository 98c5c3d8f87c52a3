//! A folder of the worker's own, at a place where the worker itself may create none.

use std::fs::DirBuilder;
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

/// Creates it, for the worker alone; `user`: that of the worker, when it is not this one. What is there and could be somebody else's is
/// refused.
pub(super) fn prepare(folder: &Path, user: Option<u32>) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let found = std::fs::symlink_metadata(folder)?;
    let own = nix::unistd::geteuid().as_raw();
    let refuse = |why| Err(Error::new(ErrorKind::PermissionDenied, why));
    if !found.is_dir() {
        return refuse("the folder is a link");
    }
    if ![own, user.unwrap_or(own)].contains(&found.uid()) {
        return refuse("the folder belongs to another user");
    }
    if found.permissions().mode() & 0o077 != 0 {
        return refuse("other users can enter the folder");
    }
    match user {
        Some(user) if found.uid() == own => std::os::unix::fs::lchown(folder, Some(user), Some(user)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::prepare;

    #[test]
    fn only_a_closed_folder_of_the_worker_is_taken() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = dir.path().join("a/b");
        for _ in 0..2 {
            prepare(&folder, None).expect("it is made, or there");
            assert_eq!(std::fs::metadata(&folder).expect("it is there").permissions().mode() & 0o777, 0o700);
        }
        if nix::unistd::geteuid().is_root() {
            for _ in 0..2 {
                prepare(&folder, Some(10001)).expect("it is given to the worker");
                assert_eq!(std::fs::metadata(&folder).expect("it is there").uid(), 10001);
            }
            assert!(prepare(&folder, Some(10002)).is_err(), "it is another worker's");
        }
        symlink(&folder, dir.path().join("link")).expect("a link");
        assert!(prepare(&dir.path().join("link"), Some(10001)).is_err());
        let open = dir.path().join("open");
        std::fs::create_dir(&open).expect("a folder");
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).expect("open");
        assert!(prepare(&open, None).is_err());
    }
}
