//! Git in a workspace: argument arrays only, without prompts, hooks and system configuration.

use std::collections::BTreeMap;
use std::io::Read;

use nofx_sandbox::Files;
use nofx_shared::drivers::Network;
use nofx_shared::engine::Failure;
use nofx_shared::secrets::Mask;
use tokio_util::sync::CancellationToken;

use super::folder::Folder;
use crate::drivers::{Command, Executable, LiveOutput, Place, ProcessResult, Processes};

/// Largest output of one command: a diff or a list of files that was cut short would look complete. It is held twice, by a worker that may
/// have no more than 2 GB.
const OUTPUT_BYTES: usize = 64 << 20;
/// Largest index: that of some millions of files.
const INDEX_BYTES: u64 = 1 << 30;

pub(crate) struct Git<'a> {
    pub processes: &'a Processes,
    pub folder: &'a Folder,
    pub stop: CancellationToken,
    /// More variables of git's environment.
    pub env: BTreeMap<String, String>,
}

impl<'a> Git<'a> {
    pub(crate) fn new(processes: &'a Processes, folder: &'a Folder, stop: CancellationToken) -> Self {
        Self { processes, folder, stop, env: BTreeMap::new() }
    }

    /// Runs `git …` and returns its standard output; an error has git's message.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Result<String, Failure> {
        let result = self.try_run(arguments).await?;
        if result.exit_code == Some(0) {
            return Ok(result.stdout);
        }
        let verb = arguments.iter().find(|one| !one.starts_with('-')).copied().unwrap_or_default();
        Err(Failure::transient(format!("git {verb} failed: {}", result.output.trim())))
    }

    /// Runs `git …` for callers that read its exit code.
    pub(crate) async fn try_run(&self, arguments: &[&str]) -> Result<ProcessResult, Failure> {
        let fixed =
            ["git", "-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false", "-c", "core.fsmonitor=false"];
        let argv = fixed.iter().chain(arguments).map(|text| (*text).to_owned()).collect();
        let mut env = self.env.clone();
        env.insert("GIT_TERMINAL_PROMPT".to_owned(), "0".to_owned());
        env.insert("GIT_CONFIG_NOSYSTEM".to_owned(), "1".to_owned());
        env.extend(nofx_shared::settings::certificates().map(|file| ("GIT_SSL_CAINFO".to_owned(), file)));
        let command = Command {
            executable: Executable::Argv(argv),
            root: self.folder.root().to_owned(),
            dir: self.folder.path().to_owned(),
            env,
            place: Place::Here,
            confinement: self.processes.of_git(network(arguments)),
            egress: None,
            trace: None,
            stop: self.stop.clone(),
            max_output_bytes: OUTPUT_BYTES,
            live_output: LiveOutput::default(),
            mask: Mask::default(),
        };
        let result = self.processes.run(command).await?;
        if self.stop.is_cancelled() {
            return Err(Failure::interrupted());
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

    /// The tree of the folder as it is now, with uncommitted and untracked files and without ignored ones. The repository's index does
    /// not change.
    pub(crate) async fn tree(&self) -> Result<String, Failure> {
        // A copy of the index: `git add` is fast and does not change the original.
        let scratch = self.processes.scratch(Some(self.folder.path())).await?;
        let index = scratch.path().join("index");
        let (from, to) = (self.folder.files().clone(), scratch.files()?);
        let copied = tokio::task::spawn_blocking(move || copy_index(&from, &to)).await;
        copied.map_err(|error| error.to_string()).flatten().map_err(|why| Failure::transient(format!(".git/index {why}")))?;
        let mut env = self.env.clone();
        env.insert("GIT_INDEX_FILE".to_owned(), index.to_string_lossy().into_owned());
        let git = Git { processes: self.processes, folder: self.folder, stop: self.stop.clone(), env };
        git.run(&["add", "--all", "--", "."]).await?;
        Ok(git.run(&["write-tree"]).await?.trim().to_owned())
    }

    /// The commit that is checked out, if any.
    pub(crate) async fn head(&self) -> Result<Option<String>, Failure> {
        let result = self.try_run(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).await?;
        Ok((result.exit_code == Some(0)).then(|| result.stdout.trim().to_owned()))
    }

    /// The commit that a name stands for.
    pub(crate) async fn commit(&self, name: &str) -> Result<Option<String>, Failure> {
        let result = self.try_run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{name}^{{commit}}")]).await?;
        Ok((result.exit_code == Some(0)).then(|| result.stdout.trim().to_owned()))
    }

    /// The paths of all files of a tree.
    pub(crate) async fn files(&self, tree: &str) -> Result<Vec<String>, Failure> {
        let names = self.run(&["ls-tree", "-r", "-z", "--name-only", "--full-tree", tree]).await?;
        Ok(names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }
}

/// Only git that speaks to another repository has a network: what a step without one left in the workspace runs here, too.
fn network(arguments: &[&str]) -> Network {
    let mut left = arguments.iter();
    while let Some(argument) = left.next() {
        match *argument {
            "-c" => drop(left.next()),
            option if option.starts_with('-') => {}
            verb => return if ["clone", "fetch", "ls-remote", "push"].contains(&verb) { Network::All } else { Network::None },
        }
    }
    Network::None
}

/// Arguments for the other end when it is a repository of this machine: it belongs to somebody else, whom its git would not trust.
pub(crate) fn of_others(option: &str, repository: &str) -> &'static [&'static str] {
    match (repository.starts_with('/'), option) {
        (true, "--upload-pack") => &["--upload-pack", "git -c safe.directory=* upload-pack"],
        (true, "--receive-pack") => &["--receive-pack", "git -c safe.directory=* receive-pack"],
        _ => &[],
    }
}

/// Copies the index, unless there is none: a work tree and a bare repository have it elsewhere, and git then makes a new one.
fn copy_index(from: &Files, to: &Files) -> Result<(), String> {
    let Some(index) = from.open(".git/index")? else { return Ok(()) };
    let mut copy = to.create("index")?;
    let copied = std::io::copy(&mut index.take(INDEX_BYTES), &mut copy).map_err(|error| format!("could not be copied: {error}"))?;
    if copied == INDEX_BYTES { Err(format!("is larger than {INDEX_BYTES} bytes")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use nofx_shared::drivers::Network;

    use super::network;

    #[test]
    fn only_what_speaks_to_another_repository_has_a_network() {
        for remote in [&["clone", "--quiet", "x"][..], &["-c", "a=b", "push"], &["--no-pager", "ls-remote"], &["fetch"]] {
            assert_eq!(network(remote), Network::All, "{remote:?}");
        }
        for local in
            [&["checkout", "push"][..], &["-c", "clone", "add", "--all"], &["write-tree"], &[], &["-c"], &["commit", "-m", "fetch"]]
        {
            assert_eq!(network(local), Network::None, "{local:?}");
        }
    }
}
