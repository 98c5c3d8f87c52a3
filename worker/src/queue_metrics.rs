//! Metrics that all workers share, measured by the database when Prometheus scrapes, and at most every ten seconds.

use std::sync::Arc;
use std::time::Duration;

use nofx_shared::cache::TtlCache;
use nofx_shared::db::Db;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::{Registry, Unit};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

/// How long a measurement is used.
const MAX_AGE: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
pub(crate) struct QueueMetrics {
    steps_ready: i64,
    steps_throttled: i64,
    steps_waiting_on_quota: i64,
    steps_waiting_on_timer: i64,
    steps_waiting_on_breaker: i64,
    oldest_ready_seconds: f64,
    dead_letters: i64,
    breakers_closed: i64,
    breakers_open: i64,
    breakers_half_open: i64,
    gates_pending: i64,
    leases_expired_last_hour: i64,
    hook_deliveries_pending: i64,
    hook_deliveries_failed: i64,
    alerts_open: i64,
    requests_rejected: u64,
}

impl QueueMetrics {
    /// A registry of their own: while the database is unavailable, a scrape has no stale values.
    pub(crate) fn registry(&self) -> Registry {
        let by_state = |counts: &[(&'static str, i64)]| {
            let family = Family::<Vec<(&'static str, &'static str)>, Gauge>::default();
            for (state, count) in counts {
                family.get_or_create(&vec![("state", *state)]).set(*count);
            }
            family
        };
        let steps = by_state(&[
            ("ready", self.steps_ready),
            ("throttled", self.steps_throttled),
            ("quota", self.steps_waiting_on_quota),
            ("timer", self.steps_waiting_on_timer),
            ("breaker", self.steps_waiting_on_breaker),
        ]);
        let breakers = by_state(&[("closed", self.breakers_closed), ("open", self.breakers_open), ("half_open", self.breakers_half_open)]);
        let mut registry = Registry::with_prefix("nofx");
        registry.register("queue_steps", "Steps in the queue, by state", steps);
        registry.register_with_unit(
            "queue_oldest_ready",
            "How long the oldest ready step has waited",
            Unit::Seconds,
            ConstGauge::new(self.oldest_ready_seconds),
        );
        registry.register("breakers", "Breakers, by state", breakers);
        registry.register("rate_limited_requests", "Requests rejected by a rate limit", ConstCounter::new(self.requests_rejected));
        for (name, help, count) in [
            ("dead_letters", "Dead letters", self.dead_letters),
            ("gates_pending", "Gates waiting for a decision", self.gates_pending),
            ("leases_expired_last_hour", "Leases that expired in the last hour", self.leases_expired_last_hour),
            ("hook_deliveries_pending", "Pending hook deliveries", self.hook_deliveries_pending),
            ("hook_deliveries_failed", "Hook deliveries that ran out of attempts", self.hook_deliveries_failed),
            ("alerts_open", "Open alerts", self.alerts_open),
        ] {
            registry.register(name, help, ConstGauge::new(count));
        }
        registry
    }
}

pub(crate) struct QueueMetricsCache {
    db: Db,
    latest: TtlCache<(), QueueMetrics>,
    measuring: Mutex<()>,
}

impl QueueMetricsCache {
    pub(crate) fn new(db: Db) -> Self {
        Self { db, latest: TtlCache::new(MAX_AGE), measuring: Mutex::default() }
    }

    /// The latest measurement; none while the database is unavailable.
    pub(crate) async fn latest(&self) -> Option<Arc<QueueMetrics>> {
        // One scrape measures, the others wait for its result.
        let _turn = self.measuring.lock().await;
        let measured = self.latest.get_or_load((), async || self.db.call("queue_metrics", &json!({})).await).await;
        measured.inspect_err(|error| tracing::warn!(%error, "could not measure the queues for a scrape")).ok()
    }
}
