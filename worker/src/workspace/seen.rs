//! What git sees of a workspace: its tree, and which files are in it. Neither the index nor the objects of the repository change.

use std::collections::HashSet;
use std::sync::Arc;

use nofx_shared::engine::Failure;

use super::git::{Git, copy_index, excludes};
use super::tree_id::{staged, tree_id};

pub(super) struct Seen {
    pub tree: String,
    pub files: HashSet<String>,
}

/// Two processes.
pub(super) async fn seen_by_git(git: &Git<'_>) -> Result<Seen, Failure> {
    let scratch = git.caller.processes.scratch(Some(git.folder.path())).await?;
    let (from, to) = (git.folder.files().clone(), scratch.files()?);
    let copied = tokio::task::spawn_blocking(move || copy_index(&from, &to)).await;
    copied.map_err(|error| error.to_string()).flatten().map_err(|why| Failure::transient(format!(".git/index {why}")))?;
    let text = |path: std::path::PathBuf| path.to_string_lossy().into_owned();
    let mut apart = Git::new(git.caller.clone(), git.folder);
    apart.env.extend([
        ("GIT_INDEX_FILE".to_owned(), text(scratch.path().join("index"))),
        ("GIT_OBJECT_DIRECTORY".to_owned(), text(scratch.path().to_owned())),
        ("GIT_ALTERNATE_OBJECT_DIRECTORIES".to_owned(), text(git.folder.path().join(".git/objects"))),
    ]);
    apart.run(&["-c", &excludes(&scratch).await?, "add", "--all", "--", "."]).await?;
    let printed: Arc<str> = apart.run(&["ls-files", "--stage", "-z"]).await?.into();
    let seen = tokio::task::spawn_blocking(move || {
        let files = staged(&printed)?;
        let tree = tree_id(&files);
        Some(Seen { tree, files: files.into_iter().map(|file| file.path).collect() })
    });
    let seen = seen.await.map_err(|error| Failure::transient(format!("a thread of the worker failed: {error}")))?;
    seen.ok_or_else(|| Failure::transient("git ls-files did not print what git sees"))
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::seen_by_git;
    use crate::drivers::Processes;
    use crate::workspace::{Caller, Folder, Git};

    #[tokio::test]
    async fn the_tree_is_gits_own_and_the_repository_stays_as_it_is() {
        let dir = tempfile::tempdir().expect("a folder");
        let processes = Processes::own();
        let folder = Folder::new(&processes, dir.path().to_owned()).expect("it is there");
        let git = Git::new(Caller::person(&processes, &CancellationToken::new()), &folder);
        git.run(&["init", "--quiet"]).await.expect("a repository");
        for name in ["b/c", "b.txt", "b-", "a/deep/er/x", "ignored", ".gitignore", "a/__pycache__/x.pyc"] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
            std::fs::write(path, if name == ".gitignore" { "ignored\n" } else { name }).expect("a file");
        }
        std::os::unix::fs::symlink("b", dir.path().join("link")).expect("a link");
        let objects = || walk(&dir.path().join(".git"));
        let before = objects();
        let seen = seen_by_git(&git).await.expect("seen");
        assert_eq!(objects(), before, "nothing was written to it");
        assert!(seen.files.contains("a/deep/er/x") && !seen.files.contains("ignored"));
        assert!(!seen.files.contains("a/__pycache__/x.pyc"), "nobody wrote it");
        assert_eq!(seen.tree, git.tree().await.expect("git's own"));
    }

    fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
        let mut all = vec![];
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() {
                all.extend(walk(&entry.path()));
            }
            all.push(entry.path());
        }
        all.sort();
        all
    }
}
