//! Reads and writes below a folder, by descriptors that are opened here or by the supervisor. Every call may wait for a disk: not for the
//! loop's thread.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use nix::dir::{Dir, Type};
use rustix::fs::{Mode, OFlags};

use super::Client;
use crate::files::{self, Kind};
use crate::wire::{Answer, FileOp};

/// Most names of one folder.
const ENTRIES: usize = 100_000;

/// A folder, and what is below it.
#[derive(Clone)]
pub struct Files(Access);

#[derive(Clone)]
enum Access {
    /// An open folder: it stays the same one when its path changes.
    Own(Arc<OwnedFd>),
    /// A path that the supervisor opens things below.
    Supervisor(Arc<Client>, PathBuf),
}

impl Files {
    /// A folder that this process opens itself, with its own rights.
    pub fn own(folder: &Path) -> std::io::Result<Self> {
        let folder = rustix::fs::open(folder, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self(Access::Own(Arc::new(folder))))
    }

    pub(crate) fn of_supervisor(client: Arc<Client>, folder: PathBuf) -> Self {
        Self(Access::Supervisor(client, folder))
    }

    /// What is at a path, without following a link at its end; none when nothing is there, or it cannot be reached.
    pub fn kind(&self, path: impl AsRef<Path>) -> Option<Kind> {
        let path = path.as_ref();
        match &self.0 {
            Access::Own(folder) => files::kind(folder.as_fd(), path).ok().flatten(),
            Access::Supervisor(client, folder) => match below(folder, path).and_then(|path| client.file(path, FileOp::Kind)) {
                Ok((Answer::Kind(kind), _)) => kind,
                _ => None,
            },
        }
    }

    /// A regular file, to read; none when nothing is at the path. The error says what is wrong with what is there.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Option<File>, String> {
        Ok(self.descriptor(path.as_ref(), FileOp::Read)?.map(File::from))
    }

    /// The bytes of a file; none when nothing is at the path.
    pub fn read(&self, path: impl AsRef<Path>, max_bytes: u64) -> Result<Option<Vec<u8>>, String> {
        let Some(file) = self.open(path)? else { return Ok(None) };
        let failed = |error: std::io::Error| format!("could not be read: {error}");
        let too_large = || format!("is larger than {max_bytes} bytes");
        if file.metadata().map_err(failed)?.len() > max_bytes {
            return Err(too_large());
        }
        let mut bytes = vec![];
        // It may grow while it is read.
        file.take(max_bytes + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > max_bytes { Err(too_large()) } else { Ok(Some(bytes)) }
    }

    /// The names in a folder, sorted; none when nothing is at the path.
    pub fn list(&self, path: impl AsRef<Path>) -> Result<Option<Vec<(String, Kind)>>, String> {
        let path = path.as_ref();
        let Some(folder) = self.descriptor(path, FileOp::List)? else { return Ok(None) };
        let failed = |error: nix::Error| format!("could not be listed: {error}");
        let mut names = vec![];
        for entry in Dir::from_fd(folder).map_err(failed)?.iter() {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_str().map_err(|_| "has a name that is not UTF-8".to_owned())?;
            if matches!(name, "." | "..") {
                continue;
            }
            if names.len() == ENTRIES {
                return Err(format!("has more than {ENTRIES} names"));
            }
            let kind = match entry.file_type() {
                Some(Type::File) => Kind::File,
                Some(Type::Directory) => Kind::Folder,
                Some(Type::Symlink) => Kind::Link,
                Some(_) => Kind::Other,
                // Some file systems do not say it in the list.
                None => self.kind(path.join(name)).unwrap_or(Kind::Other),
            };
            names.push((name.to_owned(), kind));
        }
        names.sort();
        Ok(Some(names))
    }

    /// A new file in place of what is there, which is not written to; its folders are created.
    pub fn create(&self, path: impl AsRef<Path>) -> Result<File, String> {
        self.descriptor(path.as_ref(), FileOp::Create)?.map(File::from).ok_or_else(|| "could not be created".to_owned())
    }

    pub fn write(&self, path: impl AsRef<Path>, bytes: &[u8]) -> Result<(), String> {
        self.create(path)?.write_all(bytes).map_err(|error| format!("could not be written: {error}"))
    }

    /// Removes a file or link; nothing there is fine.
    pub fn remove(&self, path: impl AsRef<Path>) -> Result<(), String> {
        let path = path.as_ref();
        match &self.0 {
            Access::Own(folder) => files::remove(folder.as_fd(), path),
            Access::Supervisor(client, folder) => client.file(below(folder, path)?, FileOp::Remove).map(drop),
        }
    }

    fn descriptor(&self, path: &Path, op: FileOp) -> Result<Option<OwnedFd>, String> {
        match &self.0 {
            Access::Own(folder) => match op {
                FileOp::Read => files::read(folder.as_fd(), path),
                FileOp::List => files::list(folder.as_fd(), path),
                FileOp::Create => files::create(folder.as_fd(), path).map(Some),
                FileOp::Kind | FileOp::Remove => Ok(None),
            },
            Access::Supervisor(client, folder) => client.file(below(folder, path)?, op).map(|(_, file)| file),
        }
    }
}

/// The whole path, by which the supervisor decides whose file it is: never that of another folder.
fn below(folder: &Path, path: &Path) -> Result<PathBuf, String> {
    let is_below = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if is_below { Ok(folder.join(path)) } else { Err("is or goes through a link out of the workspace".to_owned()) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::{Files, Kind, below};

    #[test]
    fn no_path_names_another_folder() {
        let folder = std::path::Path::new("/w/one");
        for path in ["/w/two/a", "../two/a", "a/../../two", ".."] {
            assert!(below(folder, path.as_ref()).is_err(), "{path}");
        }
        assert_eq!(below(folder, "./a/b".as_ref()), Ok(folder.join("./a/b")));
    }

    #[test]
    fn nothing_outside_is_read_and_nothing_is_waited_for() {
        let outer = tempfile::tempdir().expect("a folder");
        let dir = outer.path().join("in");
        std::fs::create_dir_all(dir.join("sub")).expect("a folder");
        std::fs::write(outer.path().join("secret"), "s").expect("written");
        std::fs::write(dir.join("sub/file"), "12345").expect("written");
        mkfifo(&dir.join("fifo"), Mode::S_IRWXU).expect("a fifo");
        for (target, link) in [
            ("sub/file", "inside"),
            ("../secret", "out"),
            ("..", "up"),
            ("loop", "loop"),
            ("/etc/passwd", "absolute"),
            ("nowhere", "dangling"),
            ("/proc/self/fd/0", "magic"),
        ] {
            symlink(target, dir.join(link)).expect("a link");
        }
        let folder = Files::own(&dir).expect("open");
        for path in ["inside", "sub/file", "./sub/../sub/file"] {
            assert_eq!(folder.read(path, 5), Ok(Some(b"12345".to_vec())), "{path}");
        }
        assert_eq!(folder.read("none", 5), Ok(None));
        for (path, why) in [
            ("sub/file", "larger than 4 bytes"),
            ("out", "out of the workspace"),
            ("../secret", "out of the workspace"),
            ("up/secret", "out of the workspace"),
            ("absolute", "out of the workspace"),
            ("magic", "out of the workspace"),
            ("loop", "loop of links"),
            ("dangling", "link to nothing"),
            ("fifo", "not a regular file"),
            ("sub", "not a regular file"),
            ("sub/file/more", "not a folder"),
        ] {
            assert!(folder.read(path, 4).is_err_and(|error| error.contains(why)), "{path}: {:?}", folder.read(path, 4));
        }
        assert_eq!(folder.list("sub"), Ok(Some(vec![("file".to_owned(), Kind::File)])));
        assert_eq!(folder.list("none"), Ok(None));
        assert!(folder.list("up").is_err() && folder.list("fifo").is_err() && folder.list("sub/file").is_err());
        assert_eq!([folder.kind("out"), folder.kind("fifo"), folder.kind("none")], [Some(Kind::Link), Some(Kind::Other), None]);
        assert_eq!([folder.kind("up/secret"), folder.kind("sub/file/x"), folder.kind("sub")], [None, None, Some(Kind::Folder)]);
    }

    #[test]
    fn what_is_written_goes_into_a_new_file_and_through_no_link() {
        let outer = tempfile::tempdir().expect("a folder");
        let dir = outer.path().join("in");
        std::fs::create_dir(&dir).expect("a folder");
        let secret = outer.path().join("secret");
        std::fs::write(&secret, "s").expect("written");
        std::fs::hard_link(&secret, dir.join("hard")).expect("linked");
        symlink(&secret, dir.join("link")).expect("a link");
        symlink(outer.path(), dir.join("up")).expect("a link");
        mkfifo(&dir.join("fifo"), Mode::S_IRWXU).expect("a fifo");
        let folder = Files::own(&dir).expect("open");
        for path in ["hard", "link", "fifo", "new", "a/b/c"] {
            folder.write(path, b"ours").expect(path);
            assert_eq!(folder.read(path, 4), Ok(Some(b"ours".to_vec())), "{path}");
        }
        for path in ["up/secret", "../secret", "/etc/nofx", "", "a", "new/x"] {
            assert!(folder.write(path, b"ours").is_err(), "{path}");
        }
        assert_eq!(
            (std::fs::read_to_string(&secret).expect("read").as_str(), std::fs::metadata(&secret).expect("it is there").nlink()),
            ("s", 1)
        );
        for path in ["a/b/c", "link", "none", "none/none"] {
            folder.remove(path).expect(path);
            assert_eq!(folder.kind(path), None);
        }
        assert!(folder.remove("up/secret").is_err() && folder.remove("a").is_err());
        assert!(secret.exists());
    }

    #[test]
    fn a_hard_link_to_another_users_file_is_not_read() {
        // Only root can give files away.
        if !nix::unistd::geteuid().is_root() {
            return;
        }
        let dir = tempfile::tempdir().expect("a folder");
        let (theirs, link) = (dir.path().join("theirs"), dir.path().join("link"));
        std::fs::write(&theirs, "s").expect("written");
        std::os::unix::fs::chown(&theirs, Some(65534), None).expect("given away");
        let folder = Files::own(dir.path()).expect("open");
        assert_eq!(folder.read("theirs", 9), Ok(Some(b"s".to_vec())));
        std::fs::hard_link(&theirs, &link).expect("linked");
        assert!(folder.read("link", 9).is_err_and(|error| error.contains("hard link")));
    }
}
