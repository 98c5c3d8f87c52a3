//! Who may read files that name packages: few at once, since each may take some hundred MB.

use nofx_shared::engine::Failure;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Most that this process reads at once, bills and lock files that are audited together.
const MAX_CONCURRENT: usize = 2;
static PERMITS: Semaphore = Semaphore::const_new(MAX_CONCURRENT);

/// Held while there is anything in memory that was made of such a file.
pub(crate) struct Permit {
    /// Given back when it is dropped.
    _permit: SemaphorePermit<'static>,
}

impl Permit {
    pub(crate) async fn get() -> Result<Self, Failure> {
        let permit = PERMITS.acquire().await.map_err(|_| Failure::transient("the worker is stopping"))?;
        Ok(Self { _permit: permit })
    }

    /// How many there are now.
    #[cfg(test)]
    pub(crate) fn available() -> usize {
        PERMITS.available_permits()
    }
}
