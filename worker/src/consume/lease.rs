use std::time::Instant;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A lease that this worker holds.
pub(super) struct Lease {
    pub token: Uuid,
    pub claimed_at: Instant,
    /// Stops the step: its lease has expired, its run is being cancelled, or the worker shuts down.
    pub stop: CancellationToken,
}

impl Lease {
    pub(super) fn new(token: Uuid, stop: CancellationToken) -> Self {
        Self { token, claimed_at: Instant::now(), stop }
    }
}
