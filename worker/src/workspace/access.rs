//! What a workspace needs of the step that opens it: who asks the database, who reads and writes Storage, and what must not be stored.

use nofx_shared::artifacts::blob_path;
use nofx_shared::db::{self, Db};
use nofx_shared::engine::{ClaimedStep, Failure, TreesBefore, pin_workspace, record_snapshot, trees_before};
use nofx_shared::problem::Kind;
use nofx_shared::secrets::Mask;
use nofx_shared::storage::Storage;

use super::caller::Caller;
use crate::retry::{Backoff, retry_until_stopped};

pub(crate) struct Access<'a> {
    pub db: &'a Db,
    pub storage: &'a Storage,
    pub step: &'a ClaimedStep,
    pub caller: Caller,
    pub mask: &'a Mask,
}

impl Access<'_> {
    pub(super) async fn retry<T, E, F: Future<Output = Result<T, E>>>(
        &self,
        act: impl Fn() -> F,
        is_permanent: impl Fn(&E) -> bool,
    ) -> Result<T, E> {
        retry_until_stopped(&self.caller.stop, Backoff::STEP, act, is_permanent).await
    }

    /// What the step begins with.
    pub(super) async fn before(&self) -> Result<TreesBefore, Failure> {
        let before = self.retry(|| trees_before(self.db, self.step), db::Error::is_permanent).await;
        before.map_err(|error| failed("what the step begins with could not be read", &error))?.ok_or_else(Failure::lease_expired)
    }

    /// Pins the run to a commit, unless it is; returns the commit.
    pub(super) async fn pin(&self, commit: &str, tree: &str) -> Result<String, Failure> {
        let pinned = self.retry(|| pin_workspace(self.db, self.step, commit, tree), db::Error::is_permanent).await;
        pinned.map_err(|error| failed("the run could not be pinned to a commit", &error))?.ok_or_else(Failure::lease_expired)
    }

    /// Records what is stored; false when some of it is being deleted, so that it must be stored again.
    pub(super) async fn record(&self, digests: &[String]) -> Result<bool, Failure> {
        let blobs: Vec<String> = digests.iter().map(|digest| self.blob(digest)).collect();
        match self.retry(|| record_snapshot(self.db, self.step, &blobs), db::Error::is_permanent).await {
            Ok(true) => Ok(true),
            Ok(false) => Err(Failure::lease_expired()),
            Err(error) if error.problem().kind == Kind::BlobDeleting => Ok(false),
            Err(error) => Err(failed("the snapshot could not be recorded", &error)),
        }
    }

    /// Where content with this digest is in Storage. A path of the run's own: those of artifacts, and of runs that are gone, may be closed
    /// since what was there is being deleted.
    pub(super) fn blob(&self, digest: &str) -> String {
        format!("{}.{}", blob_path(self.step.tenant_id, &format!("sha256:{digest}")), self.step.run_id)
    }
}

fn failed(what: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::transient(format!("workspace: {what}: {error}"))
}
