//! Expires leases and fires timers, and wakes whoever has work then. It carries the worker's heartbeat.

use nofx_shared::db::Error;
use nofx_shared::engine;
use nofx_shared::queue::WakeUp;

use super::context::JobContext;

pub(super) async fn run(context: &JobContext) -> Result<(), Error> {
    let JobContext { db, services, metrics, wakeups, queue, identity, .. } = context;
    engine::expire_all_leases(db, || wakeups.wake()).await?;
    let fired = engine::fire_timers(db, Some(&identity.heartbeat(metrics))).await?;
    if fired.has_checks {
        services.checks.notify_one();
    }
    if fired.has_hooks {
        services.hooks.notify_one();
    }
    let ready = fired.wake_for;
    if !ready.is_empty() {
        wakeups.wake();
        if let Err(error) = queue.wake(ready.into_iter().map(WakeUp::new).collect()).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "could not wake workers for late steps; the next round will");
        }
    }
    Ok(())
}
