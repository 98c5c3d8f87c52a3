//! The run's checkout and its branches.

use nofx_shared::engine::Failure;

use crate::step::StepContext;
use crate::workspace::{Folder, Git};

/// The run's checkout; an error when the plan has no repository.
pub(super) async fn checkout(step: &StepContext) -> Result<Folder, Failure> {
    let folder = step.workspace().await?;
    if folder.kind(".git").await?.is_none() {
        return Err(Failure::permanent("the workspace is not a git repository: set `workspace` in the plan"));
    }
    Ok(folder)
}

/// Git in the checkout, until the step is stopped.
pub(super) fn git<'a>(step: &'a StepContext, folder: &'a Folder) -> Git<'a> {
    step.git(folder)
}

/// Checks that git accepts a name for a branch and does not read it as an option.
pub(super) async fn check_branch(git: &Git<'_>, name: &str) -> Result<(), Failure> {
    let is_valid = !name.starts_with('-') && git.try_run(&["check-ref-format", "--branch", name]).await?.exit_code == Some(0);
    if is_valid { Ok(()) } else { Err(Failure::permanent(format!("`{name}` is not a valid branch name"))) }
}

/// The branch that is checked out.
pub(super) async fn current_branch(git: &Git<'_>) -> Result<String, Failure> {
    let result = git.try_run(&["symbolic-ref", "--quiet", "--short", "HEAD"]).await?;
    if result.exit_code == Some(0) {
        return Ok(result.stdout.trim().to_owned());
    }
    Err(Failure::permanent("no branch is checked out: create one with `git:branch` first"))
}
