//! A lease that this worker holds.

use std::time::Instant;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(super) struct Held {
    pub token: Uuid,
    pub since: Instant,
    /// Stops the step: its lease was lost, its run is being cancelled, or the worker ends.
    pub stop: CancellationToken,
}

impl Held {
    pub(super) fn new(token: Uuid, stop: CancellationToken) -> Self {
        Self { token, since: Instant::now(), stop }
    }
}
