//! Calls that are repeated until they succeed: an outage must not fail work that is done.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Retries errors that are not permanent until the caller is stopped.
pub(crate) async fn until_stopped<T, E, F: Future<Output = Result<T, E>>>(
    stop: &CancellationToken,
    act: impl Fn() -> F,
    is_permanent: impl Fn(&E) -> bool,
) -> Result<T, E> {
    let mut wait = Duration::from_millis(100);
    loop {
        match act().await {
            Err(error) if !is_permanent(&error) && !stop.is_cancelled() => {
                tokio::select! { () = tokio::time::sleep(wait) => {}, () = stop.cancelled() => {} }
                wait = (wait * 2).min(Duration::from_secs(5));
            }
            result => return result,
        }
    }
}
