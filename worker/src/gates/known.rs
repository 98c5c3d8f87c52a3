//! Commands that gates know: which fits a repository, and which projects it leaves to others.

use std::collections::BTreeSet;

use nofx_sandbox::Files;
use nofx_shared::engine::Failure;

use super::context::GateContext;
use super::readers::Format;
use crate::workspace::Folder;

/// A command that fits repositories with a certain file.
#[derive(Clone, Copy)]
pub(super) struct KnownCommand {
    /// Repositories with this file; its name may end in `*`.
    pub file: &'static str,
    pub command: &'static str,
    /// The output must have this format: any other proves nothing.
    pub format: Format,
    /// The file that it writes its findings to.
    pub report: Option<&'static str>,
}

impl KnownCommand {
    pub(super) const fn new(file: &'static str, command: &'static str, format: Format) -> Self {
        Self { file, command, format, report: None }
    }

    /// Whether a project file has this name.
    pub(super) fn is_named(&self, name: &str) -> bool {
        self.file.strip_suffix('*').map_or(self.file == name, |prefix| name.starts_with(prefix))
    }
}

/// The first command that fits the folder.
pub(super) fn detect<'a>(known: &'a [KnownCommand], folder: &Files) -> Option<&'a KnownCommand> {
    known.iter().find(|one| is_there(folder, one.file))
}

/// Project files in the root folder, now or at the base, that the chosen command does not look at.
pub(super) async fn unjudged(
    context: &GateContext<'_>,
    folder: &Folder,
    chosen: &KnownCommand,
    known: &[KnownCommand],
) -> Result<Vec<String>, Failure> {
    let mut names: BTreeSet<String> =
        folder.off_loop(|files| files.list("")).await?.ok().flatten().into_iter().flatten().map(|(name, _)| name).collect();
    let git = context.git(&context.workspace);
    if folder.path() == context.workspace.path() && git.is_repository().await? {
        // What a change removes was a project, too.
        let listed =
            git.try_run(&["--no-replace-objects", "ls-tree", "-z", "--name-only", "--full-tree", "refs/remotes/origin/HEAD"]).await?;
        names.extend(listed.stdout.split('\0').filter(|name| !name.is_empty()).map(str::to_owned));
    }
    let others = known.iter().filter(|one| one.file != chosen.file);
    Ok(others.flat_map(|one| names.iter().filter(|name| one.is_named(name)).cloned()).collect())
}

fn is_there(folder: &Files, file: &str) -> bool {
    let Some(prefix) = file.strip_suffix('*') else { return folder.kind(file).is_some() };
    folder.list("").ok().flatten().is_some_and(|names| names.iter().any(|(name, _)| name.starts_with(prefix)))
}
