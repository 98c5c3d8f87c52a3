//! Git of the run's checkout: branch, commit, push, and pull requests at the forge. What a retry finds done is done.

mod branch;
mod commit;
mod forge;
mod pull_request;
mod push;

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nofx_shared::engine::Failure;

use crate::consume::StepContext;
use crate::workspace::Git;
pub(super) use branch::Branch;
pub(super) use commit::Commit;
pub(super) use pull_request::PullRequest;
pub(super) use push::Push;

/// The run's checkout; an empty workspace is none.
async fn checkout(step: &StepContext) -> Result<PathBuf, Failure> {
    let dir = step.workspace().await?;
    if !dir.join(".git").exists() {
        return Err(Failure::permanent("the workspace is not a git repository: set `workspace` in the plan"));
    }
    // A worker that was killed in the middle of git left its lock behind: one from before this attempt is nobody's.
    let lock = dir.join(".git/index.lock");
    let made = lock.metadata().and_then(|meta| meta.modified()).ok().map(chrono::DateTime::<chrono::Utc>::from);
    if step.step.attempt > 1 && made.is_some_and(|made| made < step.began) {
        drop(std::fs::remove_file(&lock));
    }
    Ok(dir)
}

fn git<'a>(step: &'a StepContext, dir: &'a Path) -> Git<'a> {
    Git::new(&step.tools.processes, dir, step.stop.clone())
}

/// A name that git takes for a branch, and that is no option.
async fn check_branch(git: &Git<'_>, name: &str) -> Result<(), Failure> {
    let good = !name.starts_with('-') && git.try_run(&["check-ref-format", "--branch", name]).await?.exit_code == Some(0);
    if good { Ok(()) } else { Err(Failure::permanent(format!("`{name}` is not a valid branch name"))) }
}

/// The branch that is checked out.
async fn current_branch(git: &Git<'_>) -> Result<String, Failure> {
    let ended = git.try_run(&["symbolic-ref", "--quiet", "--short", "HEAD"]).await?;
    if ended.exit_code == Some(0) {
        return Ok(ended.stdout.trim().to_owned());
    }
    Err(Failure::permanent("no branch is checked out: create one with `git:branch` first"))
}

/// The token of a step: the secret that it names for it.
fn token<'a>(step: &'a StepContext, secret: Option<&str>) -> Option<&'a str> {
    let name = secret.or_else(|| step.step.spec.secrets.first().map(String::as_str))?;
    step.step.spec.secrets.iter().any(|one| one == name).then(|| step.env.get(name).map(String::as_str)).flatten()
}

/// Settings that let git send a token, as environment: it is in no argument, no URL and no file.
fn credentials(url: &str, token: Option<&str>) -> Vec<(String, String)> {
    let Some(token) = token.filter(|_| url.starts_with("https://") || url.starts_with("http://127.0.0.1")) else { return vec![] };
    let header = format!("Authorization: Basic {}", STANDARD.encode(format!("x-access-token:{token}")));
    [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "http.extraHeader"), ("GIT_CONFIG_VALUE_0", &header)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}
