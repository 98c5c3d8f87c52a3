//! What git sees of a workspace: which files are in its tree. What is in them git is not asked: a step wrote the index and the settings that
//! git would go by, and could have it see other content than gates do. Neither the index nor the objects of the repository change.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use nofx_shared::engine::Failure;

use super::exact_tree::Aside;
use super::git::Git;
use super::manifest::{Manifest, State};
use super::tree_id::{BlobId, TreeFile, read_ls_files, tree_id};

/// The files of the checkout that a run began with, as the commit names them.
pub(super) type Base = HashMap<String, TreeFile>;

const FOLDER_OF_ANOTHER: &str = "160000";

pub(super) struct Seen {
    pub files: HashSet<String>,
    /// As git says.
    pub(super) claimed: Vec<TreeFile>,
}

/// In a repository aside: four processes.
pub(super) async fn seen_by_git(git: &Git<'_>) -> Result<Seen, Failure> {
    let aside = Aside::new(git, false).await?;
    let printed: Arc<str> = aside.tracked().await?.run(&["ls-files", "--stage", "-z"]).await?.into();
    let claimed = tokio::task::spawn_blocking(move || read_ls_files(&printed)).await;
    let claimed = claimed.map_err(|error| Failure::transient(format!("a thread of the worker failed: {error}")))?;
    let mut claimed = claimed.ok_or_else(|| Failure::transient("git ls-files did not print what git sees"))?;
    let hidden = git.unseen_steering(&claimed.iter().map(|file| file.path.as_str()).collect()).await?;
    let bytes = if aside.is_sha256 { 32 } else { 20 };
    claimed.extend(hidden.into_iter().map(|path| TreeFile { mode: "100644".to_owned(), object: vec![0; bytes], path }));
    Ok(Seen { files: claimed.iter().map(|file| file.path.clone()).collect(), claimed })
}

impl Seen {
    pub(super) fn is_sha256(&self) -> bool {
        self.claimed.first().is_some_and(|file| file.object.len() == 32)
    }

    /// The name of the tree: these files, with the content that they have.
    pub(super) fn tree(&self, manifest: &Manifest, base: &Base) -> String {
        let is_sha256 = self.is_sha256();
        let files: Vec<TreeFile> = self.claimed.iter().filter_map(|file| actual(file, manifest, base, is_sha256)).collect();
        tree_id(&files)
    }
}

/// A file as it is; none when it is not there.
fn actual(file: &TreeFile, manifest: &Manifest, base: &Base, is_sha256: bool) -> Option<TreeFile> {
    let of =
        |mode: &str, object: &str| Some(TreeFile { mode: mode.to_owned(), object: hex::decode(object).ok()?, path: file.path.clone() });
    match manifest.entries.get(&file.path).map(|entry| &entry.state) {
        Some(State::File { mode, blob, .. }) => of(if mode & 0o100 == 0 { "100644" } else { "100755" }, blob),
        Some(State::Link { target }) => {
            let mut id = BlobId::new(target.len() as u64, is_sha256);
            id.update(target.as_bytes());
            of("120000", &id.finish())
        }
        // A repository of its own, of which only the commit is seen.
        Some(State::Folder { .. }) => (file.mode == FOLDER_OF_ANOTHER).then(|| file.clone()),
        Some(State::Gone) => None,
        None if file.mode == FOLDER_OF_ANOTHER => Some(file.clone()),
        None => base.get(&file.path).cloned(),
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::super::manifest::{Manifest, State};
    use super::super::tree_id::{BlobId, read_ls_tree};
    use super::{Base, seen_by_git};
    use crate::drivers::Processes;
    use crate::workspace::{Caller, Folder, Git};

    /// All files of the folder as a manifest.
    fn manifest(dir: &std::path::Path) -> Manifest {
        let mut manifest = Manifest::default();
        for path in walk(dir).into_iter().filter(|path| !path.starts_with(dir.join(".git"))) {
            let name = path.strip_prefix(dir).expect("below").to_string_lossy().into_owned();
            let state = if path.is_symlink() {
                State::Link { target: std::fs::read_link(&path).expect("a link").to_string_lossy().into_owned() }
            } else if path.is_dir() {
                State::Folder { mode: 0o755 }
            } else {
                let content = std::fs::read(&path).expect("a file");
                let mut id = BlobId::new(content.len() as u64, false);
                id.update(&content);
                State::File { mode: 0o644, size: 0, mtime_ns: 0, sha256: String::new(), blob: id.finish(), pack: String::new(), at: 0 }
            };
            manifest.change(&name, state, false, "a");
        }
        manifest
    }

    fn write(dir: &std::path::Path, name: &str, text: &str) {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        std::fs::write(path, text).expect("a file");
    }

    #[tokio::test]
    async fn the_tree_is_gits_own_and_the_repository_stays_as_it_is() {
        let dir = tempfile::tempdir().expect("a folder");
        let processes = Processes::own();
        let folder = Folder::new(&processes, dir.path().to_owned()).expect("it is there");
        let git = Git::new(Caller::person(&processes, &CancellationToken::new()), &folder);
        git.run(&["init", "--quiet"]).await.expect("a repository");
        for name in ["b/c", "b.txt", "b-", "a/deep/er/x", "ignored", "a/__pycache__/x.pyc"] {
            write(dir.path(), name, name);
        }
        write(dir.path(), ".gitignore", "ignored\n");
        std::os::unix::fs::symlink("b", dir.path().join("link")).expect("a link");
        let before = walk(&dir.path().join(".git"));
        let seen = seen_by_git(&git).await.expect("seen");
        assert_eq!(walk(&dir.path().join(".git")), before, "nothing was written to it");
        assert!(seen.files.contains("a/deep/er/x") && !seen.files.contains("ignored"));
        assert!(!seen.files.contains("a/__pycache__/x.pyc"), "nobody wrote it");
        let tree = seen.tree(&manifest(dir.path()), &Base::new());
        assert_eq!(tree, git.tree().await.expect("git's own"));

        // The same from the commit, when nothing changed since.
        git.run(&["add", "--all"]).await.expect("added");
        git.run(&["-c", "user.name=a", "-c", "user.email=a@a", "commit", "--quiet", "--message", "x"]).await.expect("a commit");
        let printed = git.run(&["ls-tree", "-r", "-z", "HEAD"]).await.expect("listed");
        let base: Base = read_ls_tree(&printed).expect("a list").into_iter().map(|file| (file.path.clone(), file)).collect();
        let seen = seen_by_git(&git).await.expect("seen");
        assert_eq!(seen.tree(&Manifest::default(), &base), git.run(&["rev-parse", "HEAD^{tree}"]).await.expect("read").trim());
    }

    #[tokio::test]
    async fn neither_the_index_nor_a_filter_decides_what_is_judged() {
        let dir = tempfile::tempdir().expect("a folder");
        let processes = Processes::own();
        let folder = Folder::new(&processes, dir.path().to_owned()).expect("it is there");
        let git = Git::new(Caller::person(&processes, &CancellationToken::new()), &folder);
        git.run(&["init", "--quiet"]).await.expect("a repository");
        write(dir.path(), "staged", "evil\n");
        git.run(&["add", "--all"]).await.expect("added");
        git.run(&["update-index", "--assume-unchanged", "staged"]).await.expect("hidden");
        write(dir.path(), "staged", "good\n");
        git.run(&["config", "filter.x.clean", "sed s/good/evil/"]).await.expect("a filter");
        write(dir.path(), ".git/info/attributes", "filtered filter=x\n");
        write(dir.path(), "filtered", "good\n");
        let seen = seen_by_git(&git).await.expect("seen");
        let tree = seen.tree(&manifest(dir.path()), &Base::new());
        assert_eq!(tree, git.tree().await.expect("what is there"));
        git.run(&["add", "--all"]).await.expect("added");
        assert_ne!(tree, git.run(&["write-tree"]).await.expect("what git would commit").trim());
    }

    #[tokio::test]
    async fn what_hides_from_git_is_seen() {
        let dir = tempfile::tempdir().expect("a folder");
        let processes = Processes::own();
        let folder = Folder::new(&processes, dir.path().to_owned()).expect("it is there");
        let git = Git::new(Caller::person(&processes, &CancellationToken::new()), &folder);
        git.run(&["init", "--quiet"]).await.expect("a repository");
        git.run(&["config", "core.fileMode", "false"]).await.expect("set");
        write(dir.path(), ".git/info/exclude", "conftest.py\n");
        write(dir.path(), "conftest.py", "evil\n");
        write(dir.path(), "tests/a.py", "x = 1\n");
        write(dir.path(), "tests/.gitignore", "b.py\n.gitignore\n");
        write(dir.path(), "tests/b.py", "x = 2\n");
        let seen = seen_by_git(&git).await.expect("seen");
        let mut files: Vec<&str> = seen.files.iter().map(String::as_str).collect();
        files.sort_unstable();
        assert_eq!(files, ["conftest.py", "tests/.gitignore", "tests/a.py"]);
        assert_eq!(seen.tree(&manifest(dir.path()), &Base::new()), git.tree().await.expect("the same"));
    }

    fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
        let mut all = vec![];
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() && !entry.path().is_symlink() {
                all.extend(walk(&entry.path()));
            }
            all.push(entry.path());
        }
        all.sort();
        all
    }
}
