//! Notifies others of what a settle changed. In tasks of their own: the consume loop does not wait for the queue, and a notification that
//! fails is only logged, because nothing relies on one.

use std::sync::Arc;

use nofx_shared::queue::{Queue, WakeUp};
use uuid::Uuid;

/// Wakes workers for steps that became ready and were not claimed here, when the database does not do it itself.
pub(super) fn wake_other_workers(queue: &Arc<Queue>, ready: Vec<Uuid>) {
    if ready.is_empty() {
        return;
    }
    let queue = Arc::clone(queue);
    tokio::spawn(async move {
        if let Err(error) = queue.wake(ready.into_iter().map(WakeUp::new).collect()).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "could not wake workers; the next sweep will");
        }
    });
}

/// Notifies clients that follow events: new ones were written.
pub(super) fn notify_event_listeners(queue: &Arc<Queue>) {
    let queue = Arc::clone(queue);
    tokio::spawn(async move {
        if let Err(error) = queue.notify_event_listeners().await {
            tracing::debug!(error = &error as &dyn std::error::Error, "could not notify event listeners; they will poll");
        }
    });
}
