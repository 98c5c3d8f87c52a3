//! What the worker counts, in Prometheus' names and base units.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

pub(crate) struct Metrics {
    registry: Registry,
    pub settled: Counter,
    pub refused: Counter,
    pub running: Gauge,
    pub calls: Counter,
    pub batch: Histogram,
    pub queue_latency: Histogram,
    pub model_routing: Histogram,
    pub model_record: Histogram,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("nofx");
        let metrics = Self {
            settled: Counter::default(),
            refused: Counter::default(),
            running: Gauge::default(),
            calls: Counter::default(),
            batch: Histogram::new(exponential_buckets(1.0, 2.0, 9)),
            queue_latency: Histogram::new(exponential_buckets(0.001, 2.0, 16)),
            model_routing: Histogram::new(exponential_buckets(0.00001, 1.5, 20)),
            model_record: Histogram::new(exponential_buckets(0.0002, 1.25, 24)),
            registry: Registry::default(),
        };
        registry.register("steps_settled", "Steps settled", metrics.settled.clone());
        registry.register("steps_refused", "Outcomes refused because the lease was lost", metrics.refused.clone());
        registry.register("steps_running", "Steps that this worker executes now", metrics.running.clone());
        registry.register("database_calls", "Calls of the database", metrics.calls.clone());
        registry.register("settle_batch_steps", "Steps in one settle", metrics.batch.clone());
        registry.register("queue_latency_seconds", "From when a step could run to its claim", metrics.queue_latency.clone());
        registry.register(
            "model_routing_seconds",
            "What a question to a model took beside the provider and the database",
            metrics.model_routing.clone(),
        );
        registry.register(
            "model_record_seconds",
            "What the database took for a question to a model, before and after it",
            metrics.model_record.clone(),
        );
        Self { registry, ..metrics }
    }

    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        encode(&mut text, &self.registry).expect("a String takes all");
        text
    }
}
