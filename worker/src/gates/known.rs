//! Commands that gates know: which fits a repository, and which projects it leaves to others.

use std::collections::BTreeSet;

use nofx_sandbox::Files;
use nofx_shared::engine::Failure;

use super::aside::Aside;
use super::context::GateContext;
use super::readers::Format;
use crate::workspace::{Caller, Folder};

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

/// Project files in the root folder, now or at the base, that the chosen command does not look at. The base is read from the plan's
/// repository, never from refs of the workspace, where a step may have written it; the inner error says why it could not be read.
pub(super) async fn unjudged(
    context: &GateContext<'_>,
    folder: &Folder,
    chosen: &KnownCommand,
    known: &[KnownCommand],
) -> Result<Result<Vec<String>, String>, Failure> {
    let mut names: BTreeSet<String> =
        folder.off_loop(|files| files.list("")).await?.ok().flatten().into_iter().flatten().map(|(name, _)| name).collect();
    if let Some((url, caller)) = context.remote().filter(|_| folder.path() == context.workspace.path()) {
        match at_base(context, url, caller).await? {
            Ok(files) => names.extend(files),
            Err(why) => return Ok(Err(why)),
        }
    }
    let others = known.iter().filter(|one| one.file != chosen.file);
    Ok(Ok(others.flat_map(|one| names.iter().filter(|name| one.is_named(name)).cloned()).collect()))
}

/// The names in the root folder at the base, which is read from the plan's repository: what a change removes was a project, too.
async fn at_base(context: &GateContext<'_>, url: &str, caller: Caller) -> Result<Result<Vec<String>, String>, Failure> {
    let git = context.git(&context.workspace);
    if !git.is_repository().await? {
        return Ok(Err("the workspace is no repository any more: its base could not be read".to_owned()));
    }
    let head = git.head().await?;
    let aside = Aside::new(context, &context.workspace, caller).await?;
    let Some(base) = aside.remote_base(url, None, head.as_deref()).await? else {
        return Ok(Err(format!("the default branch of {url} could not be read: which projects a change removes is not known")));
    };
    let files = aside.files(&base.commit).await?;
    Ok(Ok(files.into_iter().filter(|path| !path.contains('/')).collect()))
}

fn is_there(folder: &Files, file: &str) -> bool {
    let Some(prefix) = file.strip_suffix('*') else { return folder.kind(file).is_some() };
    folder.list("").ok().flatten().is_some_and(|names| names.iter().any(|(name, _)| name.starts_with(prefix)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::process::Command;

    use nofx_shared::secrets::Mask;
    use tokio_util::sync::CancellationToken;

    use super::super::context::{GateContext, Runner};
    use super::at_base;
    use crate::drivers::Processes;
    use crate::workspace::{Caller, Folder};

    #[expect(clippy::disallowed_methods, reason = "makes what a step would")]
    #[tokio::test]
    async fn a_project_that_a_change_removes_is_found_whatever_the_workspace_says() {
        let dir = tempfile::tempdir().expect("a folder");
        let script = "git init -q a && cd a && git config user.name x && git config user.email x@example.com && touch Cargo.toml && mkdir b
            touch b/c && git add --all && git commit -qm one && cd .. && git clone -q a w && cd w && git config user.name x
            git config user.email x@example.com && git rm -q Cargo.toml && touch package.json && git add --all && git commit -qm two
            git update-ref refs/remotes/origin/HEAD HEAD";
        let made = Command::new("bash").args(["-ec", script]).current_dir(dir.path()).status().expect("bash");
        assert!(made.success());
        let (processes, stop, env, mask) = (Processes::own(), CancellationToken::new(), BTreeMap::new(), Mask::default());
        let workspace = Folder::new(&processes, dir.path().join("w")).expect("it is there");
        let runner = Runner::OnTheSpot { processes: &processes, stop: &stop };
        let context = GateContext { workspace, env: &env, mask: &mask, advisory_db: None, runner, begun: None };
        let url = dir.path().join("a").to_string_lossy().into_owned();
        let at = async |url: &str| at_base(&context, url, Caller::person(&processes, &stop)).await.expect("asked");
        assert_eq!(at(&url).await, Ok(vec!["Cargo.toml".to_owned()]));
        let why = at("/no/such/repository").await.expect_err("it cannot be read");
        assert!(why.contains("could not be read"), "{why}");
        std::fs::remove_dir_all(dir.path().join("w/.git")).expect("removed");
        assert!(at(&url).await.is_err_and(|why| why.contains("no repository any more")));
    }
}
