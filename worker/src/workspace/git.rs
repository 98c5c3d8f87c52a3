//! Git in a workspace: argument arrays only, without prompts, hooks and system configuration. What a step wrote there decides what git runs,
//! so it runs as a program of the step does: with its user, level and limits, and counted as its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use nofx_shared::drivers::Network;
use nofx_shared::engine::Failure;
use tokio::sync::OnceCell;

use super::caller::{Caller, Program};
use super::folder::Folder;
use super::planted;
use crate::drivers::{ProcessResult, Scratch};

/// Largest output of one command: a diff or a list of files that was cut short would look complete. It is held twice, by a worker that may
/// have no more than 2 GB.
const OUTPUT_BYTES: usize = 64 << 20;
/// Largest index: that of some millions of files.
pub(super) const INDEX_BYTES: u64 = 1 << 30;

/// How each command begins. A commit's tree and parents are read from the commit: a step may have written another graph.
const FIXED: [&str; 11] = [
    "git",
    "-c",
    "safe.directory=*",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.quotePath=false",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.commitGraph=false",
];
/// An object is what its name says: no replacement, no graft.
const AS_NAMED: [(&str, &str); 2] = [("GIT_NO_REPLACE_OBJECTS", "1"), ("GIT_GRAFT_FILE", "/dev/null")];

/// What tools make for themselves, and nobody writes: where git does not track it, it is no part of what is judged and committed, whether the
/// repository ignores it or not.
const MADE_BY_TOOLS: &str = "node_modules/\n.venv/\n.tox/\n__pycache__/\n.pytest_cache/\n.mypy_cache/\n.ruff_cache/\n";

pub(crate) struct Git<'a> {
    pub caller: Caller,
    pub folder: &'a Folder,
    /// More variables of git's environment.
    pub env: BTreeMap<String, String>,
    /// What it reads was found to be what it should be. A program of the run that changes that later lets git wait until its step's time is
    /// over.
    pub(super) is_searched: Arc<OnceCell<()>>,
}

impl<'a> Git<'a> {
    pub(crate) fn new(caller: Caller, folder: &'a Folder) -> Self {
        Self { caller, folder, env: BTreeMap::new(), is_searched: Arc::default() }
    }

    /// An error when git would wait for something in the workspace. Every command does this first: a tool that does much before, asks itself.
    pub(crate) async fn check(&self) -> Result<(), Failure> {
        self.is_searched.get_or_try_init(|| planted::refuse(&self.caller, self.folder)).await.copied()
    }

    /// Runs `git …` and returns its standard output; an error has git's message.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Result<String, Failure> {
        let result = self.try_run(arguments).await?;
        if result.exit_code == Some(0) {
            return Ok(result.stdout);
        }
        Err(Failure::transient(format!("git {} failed: {}", verb(arguments), result.output.trim())))
    }

    /// Runs `git …` for callers that read its exit code. Git that was killed has none, and is an error: it used too much, as a rule.
    pub(crate) async fn try_run(&self, arguments: &[&str]) -> Result<ProcessResult, Failure> {
        self.check().await?;
        let argv = FIXED.iter().chain(arguments).map(|text| (*text).to_owned()).collect();
        let mut env = self.env.clone();
        env.insert("GIT_TERMINAL_PROMPT".to_owned(), "0".to_owned());
        env.insert("GIT_CONFIG_NOSYSTEM".to_owned(), "1".to_owned());
        env.extend(AS_NAMED.map(|(name, value)| (name.to_owned(), value.to_owned())));
        env.extend(nofx_shared::settings::certificates().map(|file| ("GIT_SSL_CAINFO".to_owned(), file)));
        // Only git that speaks to another repository has a network: what a step without one left in the workspace runs here, too.
        let network = if is_remote(arguments) { self.caller.confinement.network } else { Network::None };
        let program = Program { argv, folder: self.folder, dir: self.folder.path(), env, network, max_bytes: OUTPUT_BYTES };
        let result = self.caller.run(program).await?;
        if result.exit_code.is_none() {
            return Err(Failure::transient(format!("git {} {}", verb(arguments), result.death())));
        }
        if result.dropped_bytes > 0 {
            return Err(Failure::permanent(format!("git returned more than {OUTPUT_BYTES} bytes")));
        }
        Ok(result)
    }

    /// Whether the folder is the root of a repository.
    pub(crate) async fn is_repository(&self) -> Result<bool, Failure> {
        Ok(self.folder.kind(".git").await?.is_some())
    }

    /// The commit that is checked out, if any.
    pub(crate) async fn head(&self) -> Result<Option<String>, Failure> {
        self.verified("HEAD^{commit}").await
    }

    /// The commit that a name stands for.
    pub(crate) async fn commit(&self, name: &str) -> Result<Option<String>, Failure> {
        self.verified(&format!("{name}^{{commit}}")).await
    }

    /// The object that a name stands for. Git exits with 1 when there is none; whatever else keeps it from saying so is an error.
    async fn verified(&self, name: &str) -> Result<Option<String>, Failure> {
        let result = self.try_run(&["rev-parse", "--verify", "--quiet", "--end-of-options", name]).await?;
        match result.exit_code {
            Some(0) => Ok(Some(result.stdout.trim().to_owned())),
            Some(1) => Ok(None),
            _ => Err(Failure::transient(format!("git rev-parse failed: {}", result.output.trim()))),
        }
    }

    /// The paths of all files of a tree.
    pub(crate) async fn files(&self, tree: &str) -> Result<Vec<String>, Failure> {
        let names = self.run(&["ls-tree", "-r", "-z", "--name-only", "--full-tree", tree]).await?;
        Ok(names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }
}

/// The setting that has git leave out `MADE_BY_TOOLS`, in a file of its own.
pub(crate) async fn excludes(scratch: &Scratch) -> Result<String, Failure> {
    let (files, path) = (scratch.files()?, scratch.path().join("excludes"));
    let written = tokio::task::spawn_blocking(move || files.write("excludes", MADE_BY_TOOLS.as_bytes())).await;
    let written = written.map_err(|error| error.to_string()).flatten();
    written.map_err(|why| Failure::transient(format!("what git leaves out {why}")))?;
    Ok(format!("core.excludesFile={}", path.to_string_lossy()))
}

/// The command in git's arguments.
fn verb<'a>(arguments: &[&'a str]) -> &'a str {
    let mut left = arguments.iter();
    while let Some(argument) = left.next() {
        match *argument {
            "-c" => drop(left.next()),
            option if option.starts_with('-') => {}
            verb => return verb,
        }
    }
    ""
}

/// Whether git speaks to another repository.
fn is_remote(arguments: &[&str]) -> bool {
    ["clone", "fetch", "ls-remote", "push"].contains(&verb(arguments))
}

/// Arguments for the other end when it is a repository of this machine: it belongs to somebody else, whom its git would not trust.
pub(crate) fn of_others(option: &str, repository: &str) -> &'static [&'static str] {
    match (repository.starts_with('/'), option) {
        (true, "--upload-pack") => &["--upload-pack", "git -c safe.directory=* upload-pack"],
        (true, "--receive-pack") => &["--receive-pack", "git -c safe.directory=* receive-pack"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::{Git, is_remote};
    use crate::drivers::Processes;
    use crate::workspace::{Caller, Folder};

    #[tokio::test]
    async fn a_name_of_nothing_is_none_and_a_repository_that_cannot_be_read_is_an_error() {
        let dir = tempfile::tempdir().expect("a folder");
        let processes = Processes::own();
        let folder = Folder::new(&processes, dir.path().to_owned()).expect("it is there");
        let git = Git::new(Caller::person(&processes, &CancellationToken::new()), &folder);
        git.run(&["init", "--quiet"]).await.expect("a repository");
        assert_eq!(git.head().await.expect("it is read"), None, "there is no commit yet");
        let commit = ["-c", "user.name=a", "-c", "user.email=a@a", "commit", "--quiet", "--allow-empty", "--message", "one"];
        git.run(&commit).await.expect("a commit");
        let head = git.head().await.expect("it is read").expect("a commit");
        assert_eq!(git.commit("HEAD").await.expect("it is read"), Some(head.clone()));
        for none in ["nothing", "origin/main", "--all", "HEAD~1", "", &"0".repeat(40)] {
            assert_eq!(git.commit(none).await.expect(none), None, "{none:?}");
        }
        std::fs::remove_dir_all(dir.path().join(".git/refs")).expect("removed");
        for result in [git.head().await, git.commit("HEAD").await] {
            let why = result.expect_err("evidence without its commit would look complete").message;
            assert!(why.contains("git rev-parse failed: fatal"), "{why}");
        }
    }

    #[tokio::test]
    async fn git_that_is_killed_is_an_error_whatever_its_caller_reads() {
        let dir = tempfile::tempdir().expect("a folder");
        let processes = Processes::own();
        let folder = Folder::new(&processes, dir.path().to_owned()).expect("it is there");
        let git = Git::new(Caller::person(&processes, &CancellationToken::new()), &folder);
        let why = git.try_run(&["-c", "alias.die=!kill -9 $PPID $$", "die"]).await.err().expect("it has no exit code").message;
        assert_eq!(why, "git die was killed by a signal");
    }

    #[test]
    fn only_what_speaks_to_another_repository_has_a_network() {
        for remote in [&["clone", "--quiet", "x"][..], &["-c", "a=b", "push"], &["--no-pager", "ls-remote"], &["fetch"]] {
            assert!(is_remote(remote), "{remote:?}");
        }
        for local in
            [&["checkout", "push"][..], &["-c", "clone", "add", "--all"], &["write-tree"], &[], &["-c"], &["commit", "-m", "fetch"]]
        {
            assert!(!is_remote(local), "{local:?}");
        }
    }
}
