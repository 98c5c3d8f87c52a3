//! The tree of a workspace as evidence names it. What steps of the run wrote to steer git decides nothing of it: flags of the index, filters,
//! attributes and excludes of the repository, replacements, grafts.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use nofx_sandbox::{Files, Kind};
use nofx_shared::engine::Failure;

use super::git::{Git, INDEX_BYTES, excludes};
use crate::drivers::Scratch;

/// Files that decide what git sees of a folder.
const STEERING: [&str; 2] = [".gitignore", ".gitattributes"];
/// So many paths go with one command.
const PATHS: usize = 500;

/// A repository beside that of a workspace, with the workspace as its work tree and with none of its settings.
pub(super) struct Aside<'a> {
    git: Git<'a>,
    /// The setting that leaves out what tools make for themselves. Nothing else outside the repository says what git leaves out.
    excludes: String,
    /// How it names objects.
    pub is_sha256: bool,
    scratch: Scratch,
}

impl<'a> Aside<'a> {
    /// `is_kept`: new objects go to the repository of the workspace; otherwise that stays as it is.
    pub(super) async fn new(git: &Git<'a>, is_kept: bool) -> Result<Self, Failure> {
        git.check().await?;
        let paths = ["rev-parse", "--path-format=absolute", "--show-object-format", "--git-path", "objects"];
        let printed = git.run(&paths).await?;
        let (format, objects) = printed.trim_end().split_once('\n').unwrap_or_else(|| ("sha1", printed.trim_end()));
        let scratch = git.caller.processes.scratch(Some(git.folder.path())).await?;
        let (from, to) = (git.folder.files().clone(), scratch.files()?);
        let copied = tokio::task::spawn_blocking(move || copy_index(&from, &to)).await;
        copied.map_err(|error| error.to_string()).flatten().map_err(|why| Failure::transient(format!(".git/index {why}")))?;
        let mut env = git.env.clone();
        // Of a workspace that is no repository: one that is made has no work tree yet.
        env.remove("GIT_WORK_TREE");
        let own = [
            ("GIT_DIR", text(&scratch.path().join("tree.git"))),
            ("GIT_CONFIG_GLOBAL", "/dev/null".to_owned()),
            ("GIT_ATTR_NOSYSTEM", "1".to_owned()),
        ];
        env.extend(own.map(|(name, value)| (name.to_owned(), value)));
        let mut aside = Git { caller: git.caller.clone(), folder: git.folder, env, is_searched: Arc::clone(&git.is_searched) };
        aside.run(&["init", "--quiet", "--bare", "--template=", "--object-format", format]).await?;
        let variable = if is_kept { "GIT_OBJECT_DIRECTORY" } else { "GIT_ALTERNATE_OBJECT_DIRECTORIES" };
        aside.env.insert(variable.to_owned(), objects.to_owned());
        aside.env.insert("GIT_WORK_TREE".to_owned(), text(git.folder.path()));
        Ok(Self { git: aside, excludes: excludes(&scratch).await?, is_sha256: format == "sha256", scratch })
    }

    /// Git with what the workspace's index tracks, and with all else that it sees. What is tracked is seen although it may be ignored. It is
    /// only asked for names: flags of the index may say that a file is unchanged.
    pub(super) async fn tracked(&self) -> Result<Git<'a>, Failure> {
        let tracked = self.with_index("index");
        self.add(&tracked, &["add", "--all", "--", "."]).await?;
        Ok(tracked)
    }

    fn with_index(&self, name: &str) -> Git<'a> {
        let mut env = self.git.env.clone();
        env.insert("GIT_INDEX_FILE".to_owned(), text(&self.scratch.path().join(name)));
        Git { caller: self.git.caller.clone(), folder: self.git.folder, env, is_searched: Arc::clone(&self.git.is_searched) }
    }

    async fn add(&self, git: &Git<'_>, arguments: &[&str]) -> Result<(), Failure> {
        git.run(&[&["-c", &self.excludes, "-c", "core.attributesFile=/dev/null"], arguments].concat()).await.map(drop)
    }
}

impl Git<'_> {
    /// The tree of the folder as it is now, with uncommitted and untracked files and without ignored ones. The repository's index does
    /// not change.
    pub(crate) async fn tree(&self) -> Result<String, Failure> {
        let aside = Aside::new(self, true).await?;
        let names = aside.tracked().await?.run(&["write-tree"]).await?;
        // In a fresh index no file is known to be unchanged, so that each is read.
        let fresh = aside.with_index("fresh");
        fresh.run(&["read-tree", names.trim()]).await?;
        aside.add(&fresh, &["add", "--all", "--", "."]).await?;
        let listed = fresh.run(&["ls-files", "-z", "--cached", "--full-name"]).await?;
        let seen: BTreeSet<&str> = listed.split_terminator('\0').collect();
        for some in self.unseen_steering(&seen).await?.chunks(PATHS) {
            let some: Vec<&str> = some.iter().map(String::as_str).collect();
            aside.add(&fresh, &[&["--literal-pathspecs", "add", "--force", "--"], some.as_slice()].concat()).await?;
        }
        Ok(fresh.run(&["write-tree"]).await?.trim().to_owned())
    }

    /// Files that decide what git sees and that hide themselves, in folders with files that it sees: they are part of the tree. Folders
    /// that are left out as a whole, such as caches, have their own.
    pub(super) async fn unseen_steering(&self, seen: &BTreeSet<&str>) -> Result<Vec<String>, Failure> {
        let mut folders = BTreeSet::from([""]);
        for path in seen {
            folders.extend(path.match_indices('/').map(|(at, _)| &path[..=at]));
        }
        let of = |folder: &str| STEERING.map(|name| format!("{folder}{name}"));
        let wanted: Vec<String> = folders.into_iter().flat_map(of).filter(|path| !seen.contains(path.as_str())).collect();
        // Links are of no effect, and git does not read through them.
        let is_there = move |files: &Files| wanted.into_iter().filter(|path| files.kind(path) == Some(Kind::File)).collect::<Vec<_>>();
        self.folder.off_loop(is_there).await
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Copies the index, unless there is none: a work tree and a bare repository have it elsewhere, and git then makes a new one.
fn copy_index(from: &Files, to: &Files) -> Result<(), String> {
    let Some(index) = from.open(".git/index")? else { return Ok(()) };
    let too_large = || format!("is larger than {INDEX_BYTES} bytes");
    if index.metadata().map_err(|error| format!("could not be read: {error}"))?.len() > INDEX_BYTES {
        return Err(too_large());
    }
    let mut copy = to.create("index")?;
    // It may grow while it is read.
    let copied = std::io::copy(&mut index.take(INDEX_BYTES + 1), &mut copy).map_err(|error| format!("could not be copied: {error}"))?;
    if copied > INDEX_BYTES { Err(too_large()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use tokio_util::sync::CancellationToken;

    use crate::drivers::Processes;
    use crate::workspace::{Caller, Folder, Git};

    const REPOSITORY: &str = "git init -q . && git config user.name x && git config user.email x@example.com && mkdir -p src tests
        echo 'x = 1' > src/a.py && echo 'assert True' > tests/b.py && printf '*.log\\n/build/\\n' > .gitignore && echo kept > kept.log
        git add --all --force && git commit -qm one && mkdir build && echo out > build/out && echo more > more.log";

    #[expect(clippy::disallowed_methods, reason = "makes what a step would")]
    fn make(dir: &Path, script: &str) {
        let made = Command::new("bash").args(["-ec", script]).current_dir(dir).status().expect("bash");
        assert!(made.success(), "{script}");
    }

    /// The tree of the workspace, and that of the commit that is checked out.
    async fn trees(script: &str) -> (String, String) {
        let dir = tempfile::tempdir().expect("a folder");
        make(dir.path(), &format!("{REPOSITORY}\n{script}"));
        let processes = Processes::own();
        let folder = Folder::new(&processes, dir.path().to_owned()).expect("it is there");
        let git = Git::new(Caller::person(&processes, &CancellationToken::new()), &folder);
        let head = git.head().await.expect("read").expect("a commit");
        let index = std::fs::read(dir.path().join(".git/index")).expect("an index");
        let tree = git.tree().await.expect(script);
        assert_eq!(std::fs::read(dir.path().join(".git/index")).expect("an index"), index, "{script}: the index stays");
        let of_commit = git.run(&["rev-parse", &format!("{head}^{{tree}}")]).await.expect("a tree");
        (tree, of_commit.trim().to_owned())
    }

    #[tokio::test]
    async fn what_was_not_changed_is_the_commit() {
        for script in [
            "true",
            "touch src/a.py",
            "mkdir .pytest_cache && echo '*' > .pytest_cache/.gitignore && echo x > .pytest_cache/x",
            "mkdir build/sub && echo '*' > build/sub/.gitignore",
        ] {
            let (tree, commit) = trees(script).await;
            assert_eq!(tree, commit, "{script}");
        }
    }

    #[tokio::test]
    async fn no_change_can_be_hidden() {
        for script in [
            "echo 'x = 2' > src/a.py",
            "rm kept.log",
            "chmod +x src/a.py && git config core.fileMode false",
            "git config filter.f.clean 'echo x = 1' && echo 'src/a.py filter=f' > .git/info/attributes && echo 'x = 2' > src/a.py",
            "git config core.excludesFile /tmp/none && echo conftest.py > .git/info/exclude && echo evil > conftest.py",
            "printf 'conftest.py\\n.gitignore\\n' > tests/.gitignore && echo evil > tests/conftest.py",
            "printf '.gitattributes\\n' >> .git/info/exclude && echo '*.py ident' > src/.gitattributes",
            "git update-index --assume-unchanged src/a.py && echo 'x = 2' > src/a.py",
            "git update-index --skip-worktree src/a.py && echo 'x = 2' > src/a.py",
            // The commit of another tree takes the place of the one that is checked out.
            "one=$(git rev-parse HEAD) && echo 'x = 2' > src/a.py && git add src && evil=$(git commit-tree -p HEAD -m two $(git write-tree)) &&
             git replace $one $evil",
            "one=$(git rev-parse HEAD) && echo 'x = 2' > src/a.py && git commit -qam two && two=$(git rev-parse HEAD) && git reset -q $one &&
             git update-ref refs/replace/$one $two",
        ] {
            let (tree, commit) = trees(script).await;
            assert_ne!(tree, commit, "{script}");
        }
    }
}
