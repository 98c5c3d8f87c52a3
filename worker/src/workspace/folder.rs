//! A folder where a step's processes run, and the files in it. A file that is written or read by a name of the plan is no link and none of
//! git's own, which decide what git runs. What is below a folder is opened beneath it by the kernel, as the user of the step.

use std::fs::File;
use std::path::{Component, Path, PathBuf};

use nofx_sandbox::{Files, Kind};
use nofx_shared::engine::Failure;

use crate::drivers::Processes;

#[derive(Clone)]
pub(crate) struct Folder {
    path: PathBuf,
    /// The folder that this one was found below; itself when it was not.
    root: PathBuf,
    files: Files,
}

impl Folder {
    pub(crate) fn new(processes: &Processes, path: PathBuf) -> Result<Self, Failure> {
        let files = processes.files(&path)?;
        Ok(Self { root: path.clone(), path, files })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The workspace that it is in, or the scratch folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// What is below it. Its calls may wait for a disk: not for the loop's thread.
    pub(crate) fn files(&self) -> &Files {
        &self.files
    }

    /// A folder below this one, never outside of it; without a name this one.
    pub(crate) async fn below(&self, processes: &Processes, name: Option<&str>) -> Result<Self, Failure> {
        let Some(name) = name else { return Ok(self.clone()) };
        let refuse = |why: &str| Failure::permanent(format!("cwd `{name}` is not a folder of the workspace: it {why}"));
        let path = PathBuf::from(name);
        // The supervisor decides by the whole path whose folder it is, and an absolute one would replace this folder.
        if !path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Err(refuse("is not named by a path below it"));
        }
        match self.off_loop(move |files| files.list(path)).await? {
            Ok(Some(_)) => Ok(Self { root: self.root.clone(), ..Self::new(processes, self.path.join(name))? }),
            Ok(None) => Err(refuse("is not there")),
            Err(why) => Err(refuse(&why)),
        }
    }

    /// What is at a path.
    pub(crate) async fn kind(&self, name: &str) -> Result<Option<Kind>, Failure> {
        let path = PathBuf::from(name);
        self.off_loop(move |files| files.kind(path)).await
    }

    /// Opens a file that a plan names.
    pub(crate) async fn open(&self, name: &str) -> Result<File, Failure> {
        let path = file_name(name)?;
        let opened = self.off_loop(move |files| files.open(path)).await?;
        opened.and_then(|file| file.ok_or_else(|| "is not there".to_owned())).map_err(|why| Failure::permanent(format!("`{name}` {why}")))
    }

    /// Reads a file that a plan names; none when it is not there. The inner error says what is wrong with it.
    pub(crate) async fn read(&self, name: &str, max_bytes: u64) -> Result<Result<Option<Vec<u8>>, String>, Failure> {
        let path = file_name(name)?;
        self.off_loop(move |files| files.read(path, max_bytes)).await
    }

    /// Creates a file in place of what is there.
    pub(crate) async fn create(&self, name: &str) -> Result<File, Failure> {
        let path = file_name(name)?;
        let created = self.off_loop(move |files| files.create(path)).await?;
        created.map_err(|why| Failure::permanent(format!("`{name}` was not written: it {why}")))
    }

    pub(crate) async fn write(&self, name: &str, bytes: Vec<u8>) -> Result<(), Failure> {
        let path = file_name(name)?;
        let written = self.off_loop(move |files| files.write(path, &bytes)).await?;
        written.map_err(|why| Failure::permanent(format!("`{name}` was not written: it {why}")))
    }

    /// Removes a file; one that is not there is no error.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), Failure> {
        let path = file_name(name)?;
        let removed = self.off_loop(move |files| files.remove(path)).await?;
        removed.map_err(|why| Failure::permanent(format!("`{name}` was not removed: it {why}")))
    }

    /// Work that waits for a disk, off the loop's thread.
    pub(crate) async fn off_loop<T: Send + 'static>(&self, work: impl FnOnce(&Files) -> T + Send + 'static) -> Result<T, Failure> {
        let files = self.files.clone();
        let done = tokio::task::spawn_blocking(move || work(&files)).await;
        done.map_err(|error| Failure::transient(format!("a thread of the worker failed: {error}")))
    }
}

/// The path of a file that a plan, a model or a tool names: below its folder, and none of git's.
pub(crate) fn file_name(name: &str) -> Result<PathBuf, Failure> {
    let path = Path::new(name);
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let is_gits = path.components().any(|part| part.as_os_str().eq_ignore_ascii_case(".git"));
    let has_name = path.file_name().is_some() && !name.ends_with('/');
    if is_plain && !is_gits && has_name && !name.contains(char::is_control) {
        Ok(path.to_owned())
    } else {
        Err(Failure::permanent(format!("`{}` is not a file below the workspace", name.escape_debug())))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::{Folder, file_name};
    use crate::drivers::Processes;

    #[test]
    fn a_name_stays_below_its_folder_and_out_of_git() {
        for name in ["src", "./src", "src/new", "new/deep/file", "a b", "ä", "..a"] {
            assert!(file_name(name).is_ok(), "{name}");
        }
        for name in
            ["", ".", "./", "a/", "..", "../a", "src/../a", "/etc/passwd", ".git", ".git/config", "sub/.GIT/hooks/x", "a\0b", "a\nb"]
        {
            assert!(file_name(name).is_err(), "{name:?}");
        }
    }

    #[tokio::test]
    async fn no_link_leads_out_of_a_folder() {
        let root = tempfile::tempdir().expect("a folder");
        let dir = root.path().join("workspace");
        for folder in ["src", ".git", "../elsewhere"] {
            std::fs::create_dir_all(dir.join(folder))
                .or_else(|_| std::fs::create_dir_all(root.path().join("elsewhere")))
                .expect("a folder");
        }
        for (target, link) in [("../elsewhere", "out"), ("src", "inside"), ("../elsewhere/new", "dangling"), ("/etc/passwd", "src/link")] {
            symlink(target, dir.join(link)).expect("a link");
        }
        let processes = Processes::own();
        let folder = Folder::new(&processes, dir.clone()).expect("it is there");
        for (name, is_folder) in
            [("src", true), ("./src", true), ("inside", true), ("src/../src", false), (".git", true), ("src/new", false)]
        {
            assert_eq!(folder.below(&processes, Some(name)).await.is_ok(), is_folder, "{name}");
        }
        for name in ["out", "dangling", "..", "/etc", "src/link"] {
            assert!(folder.below(&processes, Some(name)).await.is_err(), "{name}");
            assert!(!matches!(folder.read(name, 9).await, Ok(Ok(Some(_)))), "{name}");
        }
        for name in ["out/a", "out/deep/a", "inside/a"] {
            assert!(folder.write(name, b"x".to_vec()).await.is_err(), "{name}");
        }
        for name in ["a", "src/b", "new/deep/c", "src/link", "dangling"] {
            folder.write(name, b"x".to_vec()).await.expect(name);
            assert_eq!(folder.read(name, 9).await.expect("a name"), Ok(Some(b"x".to_vec())), "{name}");
        }
        assert!(std::fs::read_dir(root.path().join("elsewhere")).expect("a folder").next().is_none());
    }
}
