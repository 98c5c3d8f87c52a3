//! Git in the run's checkout: branch, commit, push, and pull requests at the forge. A retry repeats nothing that is done.

mod branch;
mod commit;
mod forge;
mod pull_request;
mod push;

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nofx_shared::engine::Failure;

use crate::step::StepContext;
use crate::workspace::Git;
pub(super) use branch::Branch;
pub(super) use commit::Commit;
pub(super) use pull_request::PullRequest;
pub(super) use push::Push;

/// The run's checkout; an error when the plan has no repository.
async fn checkout(step: &StepContext) -> Result<PathBuf, Failure> {
    let dir = step.workspace().await?;
    if !dir.join(".git").exists() {
        return Err(Failure::permanent("the workspace is not a git repository: set `workspace` in the plan"));
    }
    // A worker that was killed while git ran has left its lock: a lock from before this attempt has no owner.
    let lock = dir.join(".git/index.lock");
    let locked_at = lock.metadata().and_then(|meta| meta.modified()).ok().map(chrono::DateTime::<chrono::Utc>::from);
    if step.step.attempt > 1 && locked_at.is_some_and(|at| at < step.started_at) {
        drop(std::fs::remove_file(&lock));
    }
    Ok(dir)
}

fn git<'a>(step: &'a StepContext, dir: &'a Path) -> Git<'a> {
    Git::new(&step.services.processes, dir, step.stop.clone())
}

/// Checks that git accepts a name for a branch and does not read it as an option.
async fn check_branch(git: &Git<'_>, name: &str) -> Result<(), Failure> {
    let is_valid = !name.starts_with('-') && git.try_run(&["check-ref-format", "--branch", name]).await?.exit_code == Some(0);
    if is_valid { Ok(()) } else { Err(Failure::permanent(format!("`{name}` is not a valid branch name"))) }
}

/// The branch that is checked out.
async fn current_branch(git: &Git<'_>) -> Result<String, Failure> {
    let result = git.try_run(&["symbolic-ref", "--quiet", "--short", "HEAD"]).await?;
    if result.exit_code == Some(0) {
        return Ok(result.stdout.trim().to_owned());
    }
    Err(Failure::permanent("no branch is checked out: create one with `git:branch` first"))
}

/// The step's token: the secret with this name; default: its first secret.
fn token<'a>(step: &'a StepContext, secret: Option<&str>) -> Option<&'a str> {
    let name = secret.or_else(|| step.step.spec.secrets.first().map(String::as_str))?;
    step.step.spec.secrets.iter().any(|one| one == name).then(|| step.env.get(name).map(String::as_str)).flatten()
}

/// Environment that makes git send a token: it is in no argument, no URL and no file.
fn credentials(url: &str, token: Option<&str>) -> Vec<(String, String)> {
    let Some(token) = token.filter(|_| url.starts_with("https://") || url.starts_with("http://127.0.0.1")) else { return vec![] };
    let header = format!("Authorization: Basic {}", STANDARD.encode(format!("x-access-token:{token}")));
    [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "http.extraHeader"), ("GIT_CONFIG_VALUE_0", &header)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}
