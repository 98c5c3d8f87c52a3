//! The worker's metrics, with Prometheus' naming rules and base units. The values of each label are a fixed list in this program.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nofx_shared::drivers::{Driver, Usage};
use nofx_shared::engine::Outcome;
use nofx_shared::retention::Retained;
use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};

use crate::dependencies::Counters;
use crate::process_usage::ProcessUsage;
use crate::queue_metrics::QueueMetrics;

type Labels = Vec<(&'static str, String)>;
/// The trace of an observation: it leads from a slow bucket to its trace.
type Trace = Vec<(&'static str, String)>;

pub(crate) struct Metrics {
    registry: Registry,
    pub settled: Counter,
    pub outcomes_refused: Counter,
    pub steps_fenced: Counter,
    loop_delay: Histogram,
    pub running: Gauge,
    pub calls: Counter,
    pub batch: Histogram,
    pub settle: Histogram,
    pub queue_latency: HistogramWithExemplars<Trace>,
    pub model_routing: Histogram,
    pub model_record: Histogram,
    pub hook_deliveries: Family<Labels, Counter>,
    pub dependencies: Counters,
    jobs_failed: Family<Labels, Counter>,
    history_pruned: Family<Labels, Counter>,
    step_attempts: Family<Labels, Counter>,
    step_duration: Family<Labels, HistogramWithExemplars<Trace>>,
    steps_claimed: Family<Labels, Counter>,
    sandbox_cpu: Family<Labels, Counter<f64, AtomicU64>>,
    sandbox_wall: Family<Labels, Counter<f64, AtomicU64>>,
    sandbox_read: Family<Labels, Counter>,
    sandbox_written: Family<Labels, Counter>,
    sandbox_memory: Family<Labels, Histogram>,
    sandbox_cost: Family<Labels, Counter<f64, AtomicU64>>,
    workspace_bytes: Gauge,
    workspaces: Gauge,
    cpu: Counter<f64, AtomicU64>,
    memory: Gauge,
}

impl Metrics {
    /// A row for each metric, in the order of a scrape: its unit, its name, its help, and what counts.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("nofx");
        registry.register("build", "Build of this worker", Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]));
        let to = &mut registry;
        Self {
            settled: number(to, "steps_settled", "Steps settled", Counter::default()),
            outcomes_refused: number(to, "outcomes_refused", "Outcomes refused because the lease had expired", Counter::default()),
            steps_fenced: number(
                to,
                "steps_fenced",
                "Steps stopped because the database could not be reached until their lease ended",
                Counter::default(),
            ),
            loop_delay: time(to, "loop_delay", "Time that the loop was late for its heartbeat, once a second", buckets(0.001, 2.0, 14)),
            running: number(to, "steps_running", "Steps that this worker is running", Gauge::default()),
            step_attempts: number(to, "step_attempts", "Step attempts, by tool and outcome", Family::default()),
            step_duration: time(to, "step_duration", "Time between a step's claim and its outcome", step_duration()),
            steps_claimed: number(to, "steps_claimed", "Steps claimed, for a first attempt or a retry", Family::default()),
            sandbox_cpu: time(to, "sandbox_cpu", "CPU time of the processes of steps, by tool", Family::default()),
            sandbox_wall: time(to, "sandbox_wall", "Time that processes of steps ran, by tool", Family::default()),
            sandbox_read: bytes(to, "sandbox_read", "Bytes that processes of steps read from disks, by tool", Family::default()),
            sandbox_written: bytes(to, "sandbox_written", "Bytes that processes of steps wrote to disks, by tool", Family::default()),
            sandbox_memory: bytes(to, "sandbox_peak_memory", "Peak memory of the largest process of an attempt, by tool", peak_memory()),
            sandbox_cost: number(to, "sandbox_cost_usd", "Cost of the processes of steps in USD, by driver", Family::default()),
            calls: number(to, "database_calls", "Database calls", Counter::default()),
            batch: number(to, "settle_batch_steps", "Steps per settle", buckets(1.0, 2.0, 9)),
            settle: time(to, "settle_duration", "Duration of a settle, which also claims, measured by the worker", buckets(0.001, 2.0, 14)),
            queue_latency: time(to, "queue_latency", "Time between a step becoming ready and its claim", traced(0.001, 2.0, 16)),
            model_routing: time(to, "model_routing", "Duration of a model call without provider and database", buckets(1e-5, 1.5, 20)),
            model_record: time(to, "model_record", "Duration of database calls before and after a model call", buckets(0.0002, 1.25, 24)),
            hook_deliveries: number(to, "hook_deliveries", "Hook delivery attempts, by outcome", Family::default()),
            dependencies: Counters {
                files: number(
                    to,
                    "dependency_files",
                    "Files of packages that the cache gave, missed or stored, by tool",
                    Family::default(),
                ),
                bytes: bytes(to, "dependency", "Bytes of packages that the cache gave or stored, by tool", Family::default()),
            },
            jobs_failed: number(to, "jobs_failed", "Runs of background jobs that failed, by job", Family::default()),
            history_pruned: number(to, "history_pruned", "Rows deleted after their retention, by kind", Family::default()),
            workspace_bytes: bytes(to, "workspace_disk", "Disk of all workspaces of this machine", Gauge::default()),
            workspaces: number(to, "workspaces", "Workspaces of this machine", Gauge::default()),
            cpu: time(to, "process_cpu", "CPU time of this worker", Counter::default()),
            memory: bytes(to, "process_memory", "Resident memory of this worker", Gauge::default()),
            registry,
        }
    }

    /// A step was claimed after a wait.
    pub(crate) fn claimed(&self, waited_s: f64, attempt: u32, traceparent: Option<&str>) {
        self.queue_latency.observe(waited_s, trace_of(traceparent), None);
        let which = if attempt > 1 { "retry" } else { "first" };
        self.steps_claimed.get_or_create(&vec![("attempt", which.to_owned())]).inc();
    }

    /// The loop was so late for its heartbeat.
    pub(crate) fn heartbeat(&self, late: Duration) {
        self.loop_delay.observe(late.as_secs_f64());
    }

    /// A run of a background job failed.
    pub(crate) fn job_failed(&self, job: &'static str) {
        self.jobs_failed.get_or_create(&vec![("job", job.to_owned())]).inc();
    }

    /// A batch of what was past its retention was deleted.
    pub(crate) fn pruned(&self, kind: Retained, count: u32) {
        self.history_pruned.get_or_create(&vec![("kind", kind.name().to_owned())]).inc_by(u64::from(count));
    }

    /// A step has an outcome. `tool` is the handler's name, not the step's: there are as many values as handlers.
    pub(crate) fn executed(&self, tool: &'static str, outcome: &Outcome, took_s: f64, traceparent: Option<&str>) {
        let labels = vec![("tool", tool.to_owned()), ("outcome", outcome.name().to_owned())];
        self.step_attempts.get_or_create(&labels).inc();
        self.step_duration.get_or_create(&vec![("tool", tool.to_owned())]).observe(took_s, trace_of(traceparent), None);
    }

    /// A step's processes used something.
    pub(crate) fn used(&self, tool: &'static str, usage: &Usage) {
        let labels = vec![("tool", tool.to_owned())];
        self.sandbox_cpu.get_or_create(&labels).inc_by(usage.cpu_ms as f64 / 1000.0);
        self.sandbox_wall.get_or_create(&labels).inc_by(usage.wall_ms as f64 / 1000.0);
        self.sandbox_read.get_or_create(&labels).inc_by(usage.read_bytes);
        self.sandbox_written.get_or_create(&labels).inc_by(usage.written_bytes);
        self.sandbox_memory.get_or_create(&labels).observe(usage.max_rss_bytes as f64);
    }

    /// The workspaces were measured.
    pub(crate) fn workspaces(&self, bytes: u64, count: usize) {
        self.workspace_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
        self.workspaces.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// What a step's processes cost, as the database computed it.
    pub(crate) fn cost(&self, driver: &str, micro_usd: u64) {
        // `task` is a placement of worker-container.
        let known = Driver::ALL.into_iter().map(Driver::as_str).chain(["task"]).find(|known| *known == driver);
        let labels = vec![("driver", known.unwrap_or("other").to_owned())];
        self.sandbox_cost.get_or_create(&labels).inc_by(micro_usd as f64 / 1e6);
    }

    /// The text of a scrape: `OpenMetrics` with exemplars, or Prometheus' older format without them.
    pub(crate) fn render(&self, queue: Option<&QueueMetrics>, usage: &ProcessUsage, is_openmetrics: bool) -> String {
        // The kernel counts: its total replaces ours.
        self.cpu.inner().store(usage.cpu_s.to_bits(), Ordering::Relaxed);
        self.memory.set(usage.memory_bytes);
        let queue = queue.map(QueueMetrics::registry);
        let encode = if is_openmetrics { text::encode_registry } else { prometheus_text::encode };
        let mut out = String::new();
        // Writing to a String cannot fail.
        for registry in [Some(&self.registry), queue.as_ref()].into_iter().flatten() {
            encode(&mut out, registry).expect("a String takes all");
        }
        if is_openmetrics {
            text::encode_eof(&mut out).expect("a String takes all");
        }
        out
    }
}

/// Registers a metric without a unit; returns what counts.
fn number<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

/// In seconds.
fn time<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register_with_unit(name, help, Unit::Seconds, metric.clone());
    metric
}

fn bytes<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register_with_unit(name, help, Unit::Bytes, metric.clone());
    metric
}

/// The end of each bucket is `factor` times that of the one before.
fn buckets(first: f64, factor: f64, count: u16) -> Histogram {
    Histogram::new(exponential_buckets(first, factor, count))
}

fn traced(first: f64, factor: f64, count: u16) -> HistogramWithExemplars<Trace> {
    HistogramWithExemplars::new(exponential_buckets(first, factor, count))
}

fn step_duration() -> Family<Labels, HistogramWithExemplars<Trace>> {
    Family::new_with_constructor(|| traced(0.001, 3.0, 13))
}

fn peak_memory() -> Family<Labels, Histogram> {
    // From 16 MiB on.
    Family::new_with_constructor(|| buckets(16_777_216.0, 2.0, 11))
}

fn trace_of(traceparent: Option<&str>) -> Option<Trace> {
    traceparent?.split('-').nth(1).map(|id| vec![("trace_id", id.to_owned())])
}

#[cfg(test)]
mod tests {
    use nofx_shared::drivers::Usage;
    use nofx_shared::engine::Outcome;
    use nofx_shared::retention::Retained;
    use serde_json::Value;

    use super::Metrics;
    use crate::dependencies::Tool;
    use crate::process_usage::ProcessUsage;

    #[test]
    fn batches_of_deleted_history_add_up_by_kind() {
        let metrics = Metrics::new();
        metrics.pruned(Retained::Runs, 100);
        metrics.pruned(Retained::Runs, 3);
        metrics.pruned(Retained::Events, 5000);
        let text = metrics.render(None, &ProcessUsage::measure(), false);
        assert!(text.contains("nofx_history_pruned_total{kind=\"runs\"} 103\n"), "{text}");
        assert!(text.contains("nofx_history_pruned_total{kind=\"events\"} 5000\n"), "{text}");
    }

    #[test]
    fn what_processes_of_steps_used_is_counted_by_tool() {
        let metrics = Metrics::new();
        for _ in 0..2 {
            let usage =
                Usage { cpu_ms: 1500, max_rss_bytes: 30 << 20, wall_ms: 2250, read_bytes: 512, written_bytes: 1024, ..Usage::default() };
            metrics.used("bash", &usage);
        }
        let text = metrics.render(None, &ProcessUsage::measure(), false);
        assert!(text.contains("nofx_sandbox_cpu_seconds_total{tool=\"bash\"} 3"), "{text}");
        assert!(text.contains("nofx_sandbox_wall_seconds_total{tool=\"bash\"} 4.5"), "{text}");
        assert!(text.contains("nofx_sandbox_read_bytes_total{tool=\"bash\"} 1024\n"), "{text}");
        assert!(text.contains("nofx_sandbox_written_bytes_total{tool=\"bash\"} 2048\n"), "{text}");
        for bucket in ["tool=\"bash\",le=\"1.6777216e+07\"} 0", "tool=\"bash\",le=\"3.3554432e+07\"} 2"] {
            assert!(text.contains(&format!("nofx_sandbox_peak_memory_bytes_bucket{{{bucket}\n")), "{text}");
        }
    }

    #[test]
    fn the_disk_of_workspaces_is_what_was_measured_last() {
        let metrics = Metrics::new();
        metrics.workspaces(5 << 20, 3);
        metrics.workspaces(u64::MAX, 2);
        let text = metrics.render(None, &ProcessUsage::measure(), false);
        assert!(text.contains(&format!("nofx_workspace_disk_bytes {}\n", i64::MAX)) && text.contains("nofx_workspaces 2\n"), "{text}");
    }

    #[test]
    fn files_of_packages_are_counted_by_tool_and_result() {
        let metrics = Metrics::new();
        metrics.dependencies.add(Tool::Npm, "given", 5);
        metrics.dependencies.add(Tool::Npm, "given", 6);
        let text = metrics.render(None, &ProcessUsage::measure(), false);
        assert!(text.contains("nofx_dependency_files_total{tool=\"npm\",result=\"given\"} 2\n"), "{text}");
        assert!(text.contains("nofx_dependency_bytes_total{tool=\"npm\",result=\"given\"} 11\n"), "{text}");
    }

    #[test]
    fn costs_add_up_by_driver_in_usd_and_no_other_text_becomes_a_label() {
        let metrics = Metrics::new();
        for (driver, micro_usd) in [("e2b", 1_250_000), ("e2b", 250_000), ("task", 500_000), ("\"} 1", 1_000_000), ("worker-container", 0)]
        {
            metrics.cost(driver, micro_usd);
        }
        let text = metrics.render(None, &ProcessUsage::measure(), false);
        for line in ["{driver=\"e2b\"} 1.5\n", "{driver=\"task\"} 0.5\n", "{driver=\"other\"} 1.0\n", "{driver=\"worker-container\"} 0.0\n"]
        {
            assert!(text.contains(&format!("nofx_sandbox_cost_usd_total{line}")), "{line}: {text}");
        }
    }

    #[test]
    fn exemplars_stand_in_openmetrics_and_nowhere_else() {
        let metrics = Metrics::new();
        metrics.claimed(0.5, 1, Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        metrics.executed("bash", &Outcome::Done { outputs: Value::Null }, 0.1, None);
        let usage = ProcessUsage::measure();
        let open = metrics.render(None, &usage, true);
        assert!(open.contains("# {trace_id=\"0af7651916cd43dd8448eb211c80319c\"} 0.5") && open.ends_with("# EOF\n"), "{open}");
        let plain = metrics.render(None, &usage, false);
        assert!(
            !plain.contains("trace_id") && !plain.contains("# EOF") && plain.contains("# TYPE nofx_step_attempts_total counter"),
            "{plain}"
        );
        assert!(plain.contains("nofx_step_attempts_total{tool=\"bash\",outcome=\"succeeded\"} 1"), "{plain}");
        assert!(plain.contains("\nnofx_process_memory_bytes "), "{plain}");
        assert!(plain.contains("# TYPE nofx_build_info gauge") && plain.contains("# TYPE nofx_queue_latency_seconds histogram"), "{plain}");
    }

    #[test]
    fn a_label_may_contain_what_begins_an_exemplar() {
        let metrics = Metrics::new();
        metrics.job_failed("# {trace_id=\"x\"} # {");
        let line = r##"nofx_jobs_failed_total{job="# {trace_id=\"x\"} # {"} 1"##;
        for is_openmetrics in [true, false] {
            let text = metrics.render(None, &ProcessUsage::measure(), is_openmetrics);
            assert!(text.lines().any(|found| found == line), "{text}");
        }
    }
}
