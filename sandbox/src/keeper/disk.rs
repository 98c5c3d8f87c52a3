//! How much disk the folders of a process hold together: what the kernel's limits, which are for each file, do not count. Files that are
//! open without a name, and what is in a folder that its user has closed, are not seen.

use std::io::{PipeReader, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nofx_shared::drivers::Limits;

use crate::as_user::AsUser;

/// How often they are counted at most.
const INTERVAL: Duration = Duration::from_secs(1);
/// Of the time, at most this part (one of so many) is spent with counting.
const SHARE: u32 = 20;
const MIB: u64 = 1 << 20;
/// Longest path; the kernel's own limit.
const PATH_BYTES: usize = 4095;

pub(super) struct Disk {
    pub folders: Vec<PathBuf>,
    /// Of these only what the user owns: everybody may write there.
    pub shared: Vec<PathBuf>,
    pub uid: Option<u32>,
    pub limits: Limits,
}

impl Disk {
    /// Counts in a thread of its own for as long as this process lives. What is wrong can be read from the pipe, once; none: no limit.
    pub(super) fn watch(self) -> std::io::Result<Option<PipeReader>> {
        if self.limits.total_disk_mb.is_none() && self.limits.total_files.is_none() {
            return Ok(None);
        }
        let (reader, mut writer) = std::io::pipe()?;
        let work = move || {
            let _rights = self.uid.map(AsUser::new);
            let mut pause = INTERVAL;
            loop {
                std::thread::sleep(pause);
                let began = Instant::now();
                if let Err(excess) = self.count() {
                    return drop(writer.write_all(excess.as_bytes()));
                }
                pause = INTERVAL.max(began.elapsed() * SHARE);
            }
        };
        std::thread::Builder::new().name("disk".to_owned()).stack_size(256 << 10).spawn(work)?;
        Ok(Some(reader))
    }

    /// The error says what is exceeded; counting ends with it.
    fn count(&self) -> Result<(), String> {
        let (mut bytes, mut files) = (0_u64, 0_u64);
        let shared = self.shared.iter().map(|folder| (folder.clone(), self.uid));
        let mut folders: Vec<_> = self.folders.iter().map(|folder| (folder.clone(), None)).chain(shared).collect();
        while let Some((folder, owner)) = folders.pop() {
            if folder.as_os_str().len() > PATH_BYTES {
                return Err(format!("has paths of more than {PATH_BYTES} bytes in its folders: they cannot be counted"));
            }
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let meta = entry.metadata().ok();
                let is_anothers = |uid| meta.as_ref().is_none_or(|meta| meta.uid() != uid);
                if owner.is_some_and(is_anothers) {
                    continue;
                }
                files += 1;
                if let Some(limit) = self.limits.total_files.filter(|limit| files > *limit) {
                    return Err(format!("has more than {limit} files, its workspace and temporary folders together"));
                }
                let Some(meta) = meta else { continue };
                // A file with several names counts as one.
                bytes = bytes.saturating_add(meta.blocks().saturating_mul(512) / meta.nlink().max(1));
                if let Some(limit) = self.limits.total_disk_mb.filter(|limit| bytes > limit.saturating_mul(MIB)) {
                    return Err(format!("used more than {limit} MiB of disk, its workspace and temporary folders together"));
                }
                if meta.is_dir() {
                    folders.push((entry.path(), None));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use nofx_shared::drivers::Limits;
    use rustix::fs::{CWD, Mode, OFlags};

    use super::Disk;

    fn count(folders: &[&Path], mb: Option<u64>, files: Option<u64>) -> Result<(), String> {
        let limits = Limits { total_disk_mb: mb, total_files: files, ..Limits::default() };
        Disk { folders: folders.iter().map(|folder| folder.to_path_buf()).collect(), shared: vec![], uid: None, limits }.count()
    }

    #[test]
    fn of_a_folder_for_everybody_only_what_the_user_owns_is_counted() {
        if !nix::unistd::geteuid().is_root() {
            return;
        }
        let (uid, place) = (219_002, tempfile::tempdir().expect("a folder"));
        for (name, owner) in [("mine", uid), ("other", uid + 1)] {
            let folder = place.path().join(name);
            std::fs::create_dir(&folder).expect("a folder");
            std::fs::write(folder.join("file"), vec![1; 3 << 20]).expect("a file");
            std::os::unix::fs::chown(&folder, Some(owner), None).expect("given");
        }
        let limits = |mb| Limits { total_disk_mb: Some(mb), total_files: Some(2), ..Limits::default() };
        let count = |mb| Disk { folders: vec![], shared: vec![place.path().to_owned()], uid: Some(uid), limits: limits(mb) }.count();
        assert_eq!(count(4), Ok(()));
        assert!(count(2).is_err_and(|why| why.contains("2 MiB of disk")));
    }

    #[test]
    fn what_all_folders_hold_is_counted_once_and_what_links_name_is_not() {
        let [one, other, outside] = [(); 3].map(|()| tempfile::tempdir().expect("a folder"));
        std::fs::create_dir_all(one.path().join("a/b")).expect("folders");
        std::fs::write(one.path().join("a/b/file"), vec![1; 3 << 20]).expect("a file");
        std::fs::write(other.path().join("file"), vec![1; 3 << 20]).expect("a file");
        std::fs::File::create(other.path().join("sparse")).and_then(|file| file.set_len(1 << 40)).expect("a file");
        std::fs::hard_link(other.path().join("file"), other.path().join("again")).expect("a link");
        std::fs::write(outside.path().join("file"), vec![1; 9 << 20]).expect("a file");
        std::os::unix::fs::symlink(outside.path(), one.path().join("out")).expect("a link");
        let both = [one.path(), other.path()];
        assert_eq!(count(&both, Some(7), Some(7)), Ok(()));
        let why = count(&both, Some(5), None).expect_err("six are there");
        assert_eq!(why, "used more than 5 MiB of disk, its workspace and temporary folders together");
        let why = count(&both, None, Some(6)).expect_err("seven are there");
        assert_eq!(why, "has more than 6 files, its workspace and temporary folders together");
        assert_eq!(count(&["/no/such/folder".as_ref()], Some(0), Some(0)), Ok(()));
    }

    #[test]
    fn what_is_too_deep_to_be_counted_is_too_much() {
        let outer = tempfile::tempdir().expect("a folder");
        let open = |at: std::os::fd::BorrowedFd<'_>, path: &Path| {
            rustix::fs::openat(at, path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).expect("a folder")
        };
        let mut at = open(CWD, outer.path());
        let name = "x".repeat(200);
        for _ in 0..30 {
            rustix::fs::mkdirat(&at, &name, Mode::RWXU).expect("a folder");
            at = open(std::os::fd::AsFd::as_fd(&at), name.as_ref());
        }
        assert!(count(&[outer.path()], Some(100), None).is_err_and(|why| why.contains("4095 bytes")));
    }
}
