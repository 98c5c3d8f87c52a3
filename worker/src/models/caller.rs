//! Who calls a model: a step, and what its call may reach. Made by `step/ask.rs`, so that no room of the worker is needed here.

use std::future::Future;

use nofx_shared::db::Db;
use nofx_shared::engine::ClaimedStep;
use nofx_shared::secrets::{Mask, SecretStore};
use tokio_util::sync::CancellationToken;

use crate::retry::{Backoff, retry_until_stopped};

/// The step that calls a model.
pub(crate) struct ModelCaller<'a> {
    pub db: &'a Db,
    pub secrets: &'a SecretStore,
    pub step: &'a ClaimedStep,
    /// Its secrets are in no record of the call.
    pub mask: &'a Mask,
    pub stop: &'a CancellationToken,
}

impl ModelCaller<'_> {
    /// Retries errors that are not permanent until the step is stopped.
    pub(super) async fn retry_until_stopped<T, E, F: Future<Output = Result<T, E>>>(
        &self,
        act: impl Fn() -> F,
        is_permanent: impl Fn(&E) -> bool,
    ) -> Result<T, E> {
        retry_until_stopped(self.stop, Backoff::STEP, act, is_permanent).await
    }
}
