//! The folder of all workspaces. Its default has a well-known name in a folder where everybody can write, so what is found there is not
//! trusted: others could have prepared it, and would own the checkouts.

use std::io::{Error, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

/// Creates the folder, for its owner only, or makes sure that the one that is there belongs to this user, is no link, and cannot be
/// written to by others.
pub(crate) fn prepare(root: &Path) -> Result<(), Error> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(root)?;
    let found = std::fs::symlink_metadata(root)?;
    let refuse = |why| Err(Error::new(ErrorKind::PermissionDenied, format!("{why}; set NOFX_WORKSPACES to a folder of the worker's own")));
    if !found.is_dir() {
        return refuse("it is a link");
    }
    if found.uid() != nix::unistd::geteuid().as_raw() {
        return refuse("it belongs to another user");
    }
    if found.permissions().mode() & 0o022 != 0 {
        return refuse("other users can write to it");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::prepare;

    fn mode(path: &std::path::Path) -> u32 {
        std::fs::metadata(path).expect("a folder").permissions().mode() & 0o777
    }

    #[test]
    fn a_new_folder_is_its_owners_and_one_that_is_there_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("a/b");
        prepare(&root).expect("created");
        assert_eq!(mode(&root), 0o700);
        std::fs::write(root.join("kept"), "").expect("written");
        std::fs::set_permissions(&root, Permissions::from_mode(0o755)).expect("changed");
        prepare(&root).expect("ours");
        assert!(root.join("kept").exists() && mode(&root) == 0o755);
    }

    #[test]
    fn a_folder_that_others_prepared_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let why = |path: &std::path::Path| prepare(path).expect_err("not ours").to_string();
        let open = folder.path().join("open");
        std::fs::create_dir(&open).expect("created");
        for bits in [0o777, 0o1777, 0o770, 0o702] {
            std::fs::set_permissions(&open, Permissions::from_mode(bits)).expect("changed");
            assert!(why(&open).starts_with("other users can write to it"), "{bits:o}");
        }
        let (ours, link) = (folder.path().join("ours"), folder.path().join("link"));
        prepare(&ours).expect("created");
        symlink(&ours, &link).expect("a link");
        assert!(why(&link).starts_with("it is a link"));
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("written");
        assert!(prepare(&file).is_err());
        // Only root can give folders away.
        if nix::unistd::geteuid().is_root() {
            let given = folder.path().join("given");
            prepare(&given).expect("created");
            std::os::unix::fs::chown(&given, Some(65534), Some(65534)).expect("given away");
            assert!(why(&given).starts_with("it belongs to another user"));
        }
    }
}
