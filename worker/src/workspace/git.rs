//! Git in a workspace: argument arrays only, nobody is asked, no hook and no system configuration has a say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nofx_shared::engine::Failure;
use tokio_util::sync::CancellationToken;

use crate::drivers::{Command, Ended, Printed, Processes};

/// Most that one command may answer: a diff or a list of files that is cut short would be believed.
const ANSWER_BYTES: usize = 256 << 20;

pub(crate) struct Git<'a> {
    pub processes: &'a Processes,
    pub dir: &'a Path,
    pub stop: CancellationToken,
    /// What git's own processes see besides.
    pub env: BTreeMap<String, String>,
}

impl<'a> Git<'a> {
    pub(crate) fn new(processes: &'a Processes, dir: &'a Path, stop: CancellationToken) -> Self {
        Self { processes, dir, stop, env: BTreeMap::new() }
    }

    /// Runs `git …`; what it wrote to standard output. Anything but success is an error that says what git said.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Result<String, Failure> {
        let ended = self.try_run(arguments).await?;
        if ended.exit_code == Some(0) {
            return Ok(ended.stdout);
        }
        let verb = arguments.iter().find(|one| !one.starts_with('-')).copied().unwrap_or_default();
        Err(Failure::transient(format!("git {verb} failed: {}", ended.output.trim())))
    }

    /// The same, when failing is an answer too.
    pub(crate) async fn try_run(&self, arguments: &[&str]) -> Result<Ended, Failure> {
        let fixed =
            ["git", "-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false", "-c", "core.fsmonitor=false"];
        let argv = fixed.iter().chain(arguments).map(|text| (*text).to_owned()).collect();
        let mut env = self.env.clone();
        env.insert("GIT_TERMINAL_PROMPT".to_owned(), "0".to_owned());
        env.insert("GIT_CONFIG_NOSYSTEM".to_owned(), "1".to_owned());
        let command = Command {
            argv,
            dir: self.dir.to_owned(),
            env,
            trace: None,
            stop: self.stop.clone(),
            keep_bytes: ANSWER_BYTES,
            printed: Printed::default(),
        };
        let ended = self.processes.run(command).await?;
        if self.stop.is_cancelled() {
            return Err(Failure::transient("the step was stopped"));
        }
        if ended.dropped_bytes > 0 {
            return Err(Failure::permanent(format!("git returned more than {ANSWER_BYTES} bytes")));
        }
        Ok(ended)
    }

    /// Whether the folder is a repository of its own.
    pub(crate) fn is_repository(&self) -> bool {
        self.dir.join(".git").exists()
    }

    /// The tree of the folder as it is now, uncommitted and untracked files too; ignored ones not. The repository's own index stays
    /// as it is.
    pub(crate) async fn tree(&self) -> Result<String, Failure> {
        let index = TemporaryIndex::of(self.dir)?;
        let mut env = self.env.clone();
        env.insert("GIT_INDEX_FILE".to_owned(), index.0.to_string_lossy().into_owned());
        let own = Git { processes: self.processes, dir: self.dir, stop: self.stop.clone(), env };
        own.run(&["add", "--all", "--", "."]).await?;
        Ok(own.run(&["write-tree"]).await?.trim().to_owned())
    }

    /// The commit that is checked out, if there is one.
    pub(crate) async fn head(&self) -> Result<Option<String>, Failure> {
        let ended = self.try_run(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).await?;
        Ok((ended.exit_code == Some(0)).then(|| ended.stdout.trim().to_owned()))
    }

    /// What a name means: a commit.
    pub(crate) async fn commit(&self, name: &str) -> Result<Option<String>, Failure> {
        let ended = self.try_run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{name}^{{commit}}")]).await?;
        Ok((ended.exit_code == Some(0)).then(|| ended.stdout.trim().to_owned()))
    }

    /// Paths of all files of a tree.
    pub(crate) async fn files(&self, tree: &str) -> Result<Vec<String>, Failure> {
        let names = self.run(&["ls-tree", "-r", "-z", "--name-only", "--full-tree", tree]).await?;
        Ok(names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }
}

/// A copy of the index, so that `git add` is quick and leaves no trace.
struct TemporaryIndex(PathBuf);

impl TemporaryIndex {
    fn of(dir: &Path) -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("nofx-index-{}", uuid::Uuid::now_v7().simple()));
        let own = dir.join(".git/index");
        if own.is_file() {
            std::fs::copy(&own, &path).map_err(|error| Failure::transient(format!("could not copy {}: {error}", own.display())))?;
        }
        Ok(Self(path))
    }
}

impl Drop for TemporaryIndex {
    fn drop(&mut self) {
        // Git may not have made it.
        drop(std::fs::remove_file(&self.0));
    }
}
