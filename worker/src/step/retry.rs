//! Calls that a step repeats until they succeed, or it is stopped.

use std::future::Future;

use super::StepContext;
use crate::retry::{Backoff, retry_until_stopped};

impl StepContext {
    /// Retries errors that are not permanent until the step is stopped.
    pub(crate) async fn retry_until_stopped<T, E, F: Future<Output = Result<T, E>>>(
        &self,
        act: impl Fn() -> F,
        is_permanent: impl Fn(&E) -> bool,
    ) -> Result<T, E> {
        retry_until_stopped(&self.stop, Backoff::STEP, act, is_permanent).await
    }
}
