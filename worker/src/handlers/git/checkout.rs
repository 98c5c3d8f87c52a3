//! The run's checkout and its branches.

use std::time::SystemTime;

use nofx_sandbox::Files;
use nofx_shared::engine::Failure;

use crate::step::StepContext;
use crate::workspace::{Folder, Git};

/// The run's checkout; an error when the plan has no repository.
pub(super) async fn checkout(step: &StepContext) -> Result<Folder, Failure> {
    let folder = step.workspace().await?;
    if folder.kind(".git").await?.is_none() {
        return Err(Failure::permanent("the workspace is not a git repository: set `workspace` in the plan"));
    }
    // A worker that was killed while git ran has left its lock: a lock from before this attempt has no owner.
    if step.step.attempt > 1 {
        let (files, before) = (folder.files().clone(), step.started_at.into());
        drop(tokio::task::spawn_blocking(move || remove_lock(&files, before)).await);
    }
    Ok(folder)
}

fn remove_lock(files: &Files, before: SystemTime) {
    const LOCK: &str = ".git/index.lock";
    let locked_at = files.open(LOCK).ok().flatten().and_then(|lock| lock.metadata().ok()?.modified().ok());
    if locked_at.is_some_and(|at| at < before) {
        drop(files.remove(LOCK));
    }
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
