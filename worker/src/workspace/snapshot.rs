//! Snapshots of a workspace and the changes between them, whether it is a repository or not. The workspace itself does not change.

use std::collections::BTreeMap;
use std::path::Path;

use nofx_shared::engine::Failure;
use tokio_util::sync::CancellationToken;

use super::git::Git;
use crate::drivers::{Processes, Scratch};

pub(crate) struct Snapshots<'a> {
    git: Git<'a>,
    /// The temporary repository of a workspace that is none itself.
    _temporary: Option<Scratch>,
}

impl<'a> Snapshots<'a> {
    pub(crate) async fn new(processes: &'a Processes, dir: &'a Path, stop: CancellationToken) -> Result<Self, Failure> {
        let mut git = Git::new(processes, dir, stop);
        if git.is_repository() {
            return Ok(Self { git, _temporary: None });
        }
        let temporary = Scratch::new("snapshots")?;
        let text = |path: &Path| path.to_string_lossy().into_owned();
        git.env = BTreeMap::from([("GIT_DIR".to_owned(), text(temporary.path())), ("GIT_WORK_TREE".to_owned(), text(dir))]);
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
