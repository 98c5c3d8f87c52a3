//! Trees of a workspace and the changes between them, whether it is a repository or not. The workspace itself does not change.

use std::collections::BTreeMap;

use nofx_shared::engine::Failure;

use super::caller::Caller;
use super::folder::Folder;
use super::git::Git;
use crate::drivers::Scratch;

pub(crate) struct Trees<'a> {
    git: Git<'a>,
    /// The temporary repository of a workspace that is none itself.
    _temporary: Option<Scratch>,
}

impl<'a> Trees<'a> {
    pub(crate) async fn new(caller: Caller, folder: &'a Folder) -> Result<Self, Failure> {
        let mut git = Git::new(caller, folder);
        if git.is_repository().await? {
            return Ok(Self { git, _temporary: None });
        }
        let temporary = git.caller.processes.scratch(Some(folder.path())).await?;
        git.env = BTreeMap::from(
            [("GIT_DIR", temporary.path()), ("GIT_WORK_TREE", folder.path())]
                .map(|(name, path)| (name.to_owned(), path.to_string_lossy().into_owned())),
        );
        git.run(&["init", "--quiet"]).await?;
        Ok(Self { git, _temporary: Some(temporary) })
    }

    /// The workspace as it is now.
    pub(crate) async fn take(&self) -> Result<String, Failure> {
        self.git.tree().await
    }

    pub(crate) async fn diff(&self, before: &str, after: &str) -> Result<String, Failure> {
        self.git.run(&["diff", "--no-ext-diff", "--no-textconv", "--no-color", "--find-renames", before, after]).await
    }
}
