//! Delivers events to hooks: reads new events and enqueues a delivery for each hook that matches (`enqueue`), and attempts deliveries that are
//! due (`deliver`, `attempt`). It is woken by settles of this worker, by the sweep, and when the next attempt is due. Deliveries are rows of
//! their own: a slow hook delays no run. Neither half waits for the other, and no delivery for another.

mod attempt;
mod deliver;
mod enqueue;
mod slack;

use std::sync::Arc;

use nofx_shared::db::Db;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
use crate::step::Services;

pub(super) async fn run(db: Db, services: Arc<Services>, metrics: Arc<Metrics>, stop: CancellationToken) {
    let queued = Notify::new();
    tokio::join!(enqueue::run(&db, &services, &queued, &stop), deliver::run(&db, &services, &metrics, &queued, &stop));
}
