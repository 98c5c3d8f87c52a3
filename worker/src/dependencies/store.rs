//! The files of one tenant: a folder for each registry, a file for each digest, of this worker's user alone. Several workers of a machine may
//! use it at the same time: a file appears whole, and who has opened one can read it to its end.

use std::fs::{DirBuilder, File};
use std::io::{Error, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use uuid::Uuid;

use super::Digest;
use super::home::{REGISTRIES, is_plain};

/// Largest file: the largest packages of registries have some dozen MiB.
pub(super) const FILE_BYTES: u64 = 256 << 20;
/// What others of the disk have first.
const FREE_BYTES: u64 = 2 << 30;
/// Where files are written before they are whole.
const NEW: &str = ".new";

pub(super) struct Store {
    folder: PathBuf,
    max_bytes: u64,
}

impl Store {
    pub(super) fn new(root: &Path, tenant: Uuid, max_bytes: u64) -> Self {
        Self { folder: root.join(tenant.to_string()), max_bytes }
    }

    /// Cargo's names of registries that files of this tenant came from.
    pub(super) fn registries(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| is_plain(name)).collect()
    }

    pub(super) fn has(&self, registry: &str, digest: &Digest) -> bool {
        self.file(registry, digest).is_file()
    }

    pub(super) fn open(&self, registry: &str, digest: &Digest) -> Option<File> {
        File::open(self.file(registry, digest)).ok()
    }

    /// Copies a file to where `create` opens; its size. None when it is not there. A file that is not what its digest says is removed, and so is
    /// the copy to be by whoever made it.
    pub(super) fn give(
        &self,
        registry: &str,
        digest: &Digest,
        create: impl FnOnce() -> Result<File, String>,
    ) -> Result<Option<u64>, String> {
        let path = self.file(registry, digest);
        let Some(mut file) = self.open(registry, digest) else { return Ok(None) };
        let failed = |error: Error| error.to_string();
        let copied = digest.copy(&mut file, &mut create()?, FILE_BYTES).map_err(failed)?;
        match copied {
            // The time of its last use: the oldest one goes first.
            Some(_) => drop(file.set_modified(SystemTime::now())),
            None => std::fs::remove_file(&path).map_err(failed)?,
        }
        copied.map(Some).ok_or_else(|| format!("{} was changed", path.display()))
    }

    /// Adds a file, unless it is another one than its digest says; its size.
    pub(super) fn add(&self, registry: &str, digest: &Digest, from: &mut impl Read) -> Result<Option<u64>, Error> {
        let target = self.file(registry, digest);
        let is_new_registry = !target.parent().is_some_and(Path::is_dir);
        if is_new_registry && self.registries().len() >= REGISTRIES || !has_room(&self.folder) {
            return Ok(None);
        }
        let new = self.folder.join(NEW).join(Uuid::now_v7().to_string());
        let create = |file: &Path| DirBuilder::new().recursive(true).mode(0o700).create(file.parent().unwrap_or(&self.folder));
        create(&new)?;
        let written = File::options().write(true).create_new(true).mode(0o600).open(&new).and_then(|mut file| {
            let copied = digest.copy(from, &mut file, FILE_BYTES.min(self.max_bytes))?;
            file.flush()?;
            Ok(copied)
        });
        match written {
            Ok(Some(bytes)) => create(&target).and_then(|()| std::fs::rename(&new, &target)).map(|()| Some(bytes)),
            other => {
                drop(std::fs::remove_file(&new));
                other
            }
        }
    }

    /// Removes what was used longest ago, until the rest fits; registries without a file, too.
    pub(super) fn prune(&self) {
        let mut files: Vec<(SystemTime, u64, PathBuf)> = vec![];
        let folders = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for file in folders.flat_map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten().flatten()) {
            if let Ok(meta) = file.metadata() {
                files.push((meta.modified().unwrap_or(SystemTime::UNIX_EPOCH), meta.len(), file.path()));
            }
        }
        files.sort();
        let mut bytes: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, size, path) in files {
            if bytes <= self.max_bytes {
                break;
            }
            if std::fs::remove_file(&path).is_ok() {
                bytes -= size;
                // It is only removed when it is empty.
                drop(path.parent().map(std::fs::remove_dir));
            }
        }
    }

    fn file(&self, registry: &str, digest: &Digest) -> PathBuf {
        self.folder.join(registry).join(digest.hex())
    }
}

/// Whether so much of the disk is free that checkouts do not miss what is added.
fn has_room(folder: &Path) -> bool {
    let there = folder.ancestors().find(|folder| folder.is_dir());
    let disk = there.and_then(|folder| nix::sys::statvfs::statvfs(folder).ok());
    disk.is_some_and(|disk| disk.blocks_available().saturating_mul(disk.fragment_size()) >= FREE_BYTES)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Seek, Write};
    use std::time::{Duration, SystemTime};

    use sha2::Digest as _;
    use uuid::Uuid;

    use super::Store;
    use crate::dependencies::Digest;

    fn of(text: &str) -> Digest {
        Digest::sha256(&hex::encode(sha2::Sha256::digest(text))).expect("a digest")
    }

    fn file(text: &str) -> File {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(text.as_bytes()).expect("written");
        file.rewind().expect("rewound");
        file
    }

    fn given(store: &Store, digest: &Digest) -> Result<Option<u64>, String> {
        store.give("r", digest, || Ok(tempfile::tempfile().expect("a file")))
    }

    #[test]
    fn a_file_is_what_its_digest_says_when_it_comes_and_when_it_goes() {
        let root = tempfile::tempdir().expect("a folder");
        let (store, other) = (Store::new(root.path(), Uuid::nil(), 1000), Store::new(root.path(), Uuid::max(), 1000));
        assert_eq!(store.add("r", &of("right"), &mut file("wrong")).expect("no error"), None);
        assert!(!store.has("r", &of("right")), "nothing is there under its name");
        assert_eq!(store.registries(), Vec::<String>::new(), "and no registry either");
        assert_eq!(store.add("r", &of("right"), &mut file("right")).expect("no error"), Some(5));
        assert_eq!((given(&store, &of("right")), given(&other, &of("right"))), (Ok(Some(5)), Ok(None)), "tenants share nothing");
        std::fs::write(store.file("r", &of("right")), "wrong").expect("written");
        assert!(given(&store, &of("right")).is_err(), "somebody changed it on the disk");
        assert_eq!(given(&store, &of("right")), Ok(None), "it is gone");
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let root = tempfile::tempdir().expect("a folder");
        let store = Store::new(root.path(), Uuid::nil(), 10);
        for (hours, text) in [(3, "aaaa"), (2, "bbbb"), (1, "cccc")] {
            store.add("r", &of(text), &mut file(text)).expect("no error");
            let at = SystemTime::now() - Duration::from_secs(3600 * hours);
            File::open(store.file("r", &of(text))).and_then(|file| file.set_modified(at)).expect("its time is set");
        }
        assert_eq!(given(&store, &of("aaaa")), Ok(Some(4)), "it is used again");
        store.prune();
        assert_eq!(["aaaa", "bbbb", "cccc"].map(|text| store.has("r", &of(text))), [true, false, true]);
        assert_eq!(store.add("r", &of(&"x".repeat(11)), &mut file(&"x".repeat(11))).expect("no error"), None, "it never fits");
        for n in 0..20 {
            store.add(&format!("r{n}"), &of("dddd"), &mut file("dddd")).expect("no error");
        }
        assert_eq!(store.registries().len(), super::REGISTRIES, "a tenant cannot fill the folder with names");
    }
}
