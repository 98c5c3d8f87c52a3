//! The checkout that a run begins with: of one commit, whichever worker makes it, and whenever.

use std::sync::Arc;

use nofx_shared::engine::Failure;
use nofx_shared::plan::Workspace;

use super::access::Access;
use super::folder::Folder;
use super::git::{Git, of_others};
use super::seen::Base;
use super::source::{Route, variables};
use super::tree_id::{read_ls_tree, tree_id};

/// What was checked out; none in a repository without a commit.
pub(super) struct CheckedOut {
    pub commit: String,
    pub tree: String,
    pub base: Base,
}

impl Access<'_> {
    /// Clones the repository into an empty folder and checks out the commit that the run is pinned to. The first one pins it. `route`: the way
    /// to the repository.
    pub(super) async fn check_out(
        &self,
        folder: &Folder,
        source: &Workspace,
        route: Route,
        pinned: Option<&str>,
    ) -> Result<Option<CheckedOut>, Failure> {
        if source.r#ref.as_ref().is_some_and(|name| name.starts_with('-')) {
            return Err(Failure::permanent("workspace: ref cannot begin with `-`"));
        }
        let mut git = Git::new(self.caller.for_checkout(), folder);
        git.env.extend(variables(route));
        // Without the examples of hooks, which every clone would have.
        let clone = ["clone", "--quiet", "--no-hardlinks", "--template="];
        git.run(&[&clone, of_others("--upload-pack", &source.git), &["--", &source.git, "."]].concat()).await?;
        if let Some(commit) = pinned {
            return go_to(&git, source, commit).await.map(Some);
        }
        if let Some(reference) = &source.r#ref {
            // A branch is taken from the origin; tags and commits have the same name everywhere.
            let of_origin = format!("origin/{reference}");
            let name = if git.commit(&of_origin).await?.is_some() { &of_origin } else { reference };
            git.run(&["checkout", "--quiet", "--detach", name]).await?;
        }
        let Some(found) = checked_out(&git).await? else { return Ok(None) };
        let commit = self.pin(&found.commit, &found.tree).await?;
        if commit == found.commit {
            return Ok(Some(found));
        }
        go_to(&git, source, &commit).await.map(Some)
    }
}

/// Checks out the commit that the run is pinned to. A branch stays checked out where the plan names none.
async fn go_to(git: &Git<'_>, source: &Workspace, commit: &str) -> Result<CheckedOut, Failure> {
    if git.commit(commit).await?.is_none() {
        let fetch = [&["fetch", "--quiet"], of_others("--upload-pack", &source.git), &["--", &source.git, commit]].concat();
        let fetched = git.try_run(&fetch).await?;
        if git.commit(commit).await?.is_none() {
            let why = fetched.output.trim().to_owned();
            return Err(Failure::permanent(format!(
                "workspace: the run began with the commit {commit}, which {} does not have any more: {why}",
                source.git
            )));
        }
    }
    if source.r#ref.is_some() {
        git.run(&["checkout", "--quiet", "--detach", commit]).await?;
    } else {
        git.run(&["reset", "--quiet", "--hard", commit]).await?;
    }
    checked_out(git).await?.ok_or_else(|| Failure::transient(format!("workspace: {commit} was not checked out")))
}

async fn checked_out(git: &Git<'_>) -> Result<Option<CheckedOut>, Failure> {
    let Some(commit) = git.head().await? else { return Ok(None) };
    let printed: Arc<str> = git.run(&["ls-tree", "-r", "-z", "--full-tree", &commit]).await?.into();
    let read = tokio::task::spawn_blocking(move || {
        let files = read_ls_tree(&printed)?;
        let tree = tree_id(&files);
        Some((tree, files.into_iter().map(|file| (file.path.clone(), file)).collect()))
    });
    let read = read.await.map_err(|error| Failure::transient(format!("a thread of the worker failed: {error}")))?;
    let (tree, base) = read.ok_or_else(|| Failure::transient("git ls-tree did not print the files of the commit"))?;
    Ok(Some(CheckedOut { commit, tree, base }))
}
