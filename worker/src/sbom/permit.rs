//! Who may read files that name packages: few at once, since each may take some hundred MB.

use nofx_shared::engine::Failure;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

/// Most that this process reads at once, bills and lock files that are audited together.
const MAX_CONCURRENT: usize = 2;
static PERMITS: Semaphore = Semaphore::const_new(MAX_CONCURRENT);

/// Held while there is anything in memory that was made of such a file.
pub(crate) struct Permit {
    /// Given back when it is dropped.
    _permit: SemaphorePermit<'static>,
}

impl Permit {
    /// Waits for its turn, until the step is stopped.
    pub(crate) async fn get(stop: &CancellationToken) -> Result<Self, Failure> {
        let permit = stop.run_until_cancelled(PERMITS.acquire()).await.ok_or_else(Failure::interrupted)?;
        Ok(Self { _permit: permit.map_err(|_| Failure::transient("the worker is stopping"))? })
    }

    /// How many there are now.
    #[cfg(test)]
    pub(crate) fn available() -> usize {
        PERMITS.available_permits()
    }
}
