//! Both halves, side by side: one wakes the other.

use std::sync::Arc;

use nofx_shared::db::Db;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{deliver, enqueue};
use crate::metrics::Metrics;
use crate::step::Services;

pub(in crate::jobs) async fn run(db: Db, services: Arc<Services>, metrics: Arc<Metrics>, stop: CancellationToken) {
    let queued = Notify::new();
    tokio::join!(enqueue::run(&db, &services, &queued, &stop), deliver::run(&db, &services, &metrics, &queued, &stop));
}
