//! Calls that a step repeats until they succeed: an outage must not fail work that is done.

use std::future::Future;
use std::time::Duration;

use super::StepContext;

impl StepContext {
    /// Retries errors that are not permanent until the step is stopped.
    pub(crate) async fn retry_until_stopped<T, E, F: Future<Output = Result<T, E>>>(
        &self,
        act: impl Fn() -> F,
        is_permanent: impl Fn(&E) -> bool,
    ) -> Result<T, E> {
        let mut wait = Duration::from_millis(100);
        loop {
            match act().await {
                Err(error) if !is_permanent(&error) && !self.stop.is_cancelled() => {
                    tokio::select! { () = tokio::time::sleep(wait) => {}, () = self.stop.cancelled() => {} }
                    wait = (wait * 2).min(Duration::from_secs(5));
                }
                result => return result,
            }
        }
    }
}
