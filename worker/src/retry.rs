//! Calls that are repeated until they succeed: an outage must fail neither work that is done nor a worker that starts. Which errors are
//! worth another attempt is the caller's to say; failed attempts of a step are not here, the database repeats those.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Waits between attempts: each is twice the one before, up to the longest.
pub(crate) struct Backoff {
    pub first: Duration,
    pub longest: Duration,
}

impl Backoff {
    /// Of the calls that a step makes.
    pub(crate) const STEP: Self = Self { first: Duration::from_millis(100), longest: Duration::from_secs(5) };
}

/// Retries errors that are not permanent until `stop`; one attempt follows it, which may be the one that succeeds.
pub(crate) async fn retry_until_stopped<T, E, F: Future<Output = Result<T, E>>>(
    stop: &CancellationToken,
    backoff: Backoff,
    act: impl Fn() -> F,
    is_permanent: impl Fn(&E) -> bool,
) -> Result<T, E> {
    let mut wait = backoff.first;
    loop {
        match act().await {
            Err(error) if !is_permanent(&error) && !stop.is_cancelled() => {
                tokio::select! { () = tokio::time::sleep(wait) => {}, () = stop.cancelled() => {} }
                wait = (wait * 2).min(backoff.longest);
            }
            result => return result,
        }
    }
}
