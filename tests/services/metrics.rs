#![expect(clippy::disallowed_methods, reason = "runs prometheus and promtool")]

use nofx_tests::WAIT_LIMIT;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nofx_tests::own::Own;
use nofx_tests::stack::target;
use serde_json::{Value, json};

/// A Prometheus that scrapes one address every second.
struct Prometheus {
    process: Child,
    url: String,
}

impl Prometheus {
    fn start(own: &Own, scraped: &str) -> Self {
        let port = nofx_local::free_port().expect("a port");
        let config = own.dir.join("prometheus.yml");
        let text = format!(
            "global:\n  scrape_interval: 1s\nscrape_configs:\n  - job_name: nofx\n    static_configs:\n      - targets: ['{scraped}']\n"
        );
        std::fs::write(&config, text).expect("a file");
        let process = Command::new(target().join("prometheus/unpacked/usr/bin/prometheus"))
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", own.dir.join("prometheus").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--enable-feature=exemplar-storage")
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus; scripts/bootstrap-dev.sh --tests unpacks it");
        Self { process, url: format!("http://127.0.0.1:{port}") }
    }

    /// The answer of an API of Prometheus, once it has data.
    async fn ask(&self, path: &str) -> Value {
        let begin = Instant::now();
        loop {
            let asked = nofx_shared::net::client().get(format!("{}{path}", self.url)).send().await;
            if let Ok(answer) = asked {
                let answer: Value = answer.json().await.unwrap_or_default();
                let found = answer["data"]["result"].as_array().or_else(|| answer["data"].as_array());
                if found.is_some_and(|found| !found.is_empty()) {
                    return answer["data"].clone();
                }
            }
            assert!(begin.elapsed() < WAIT_LIMIT, "Prometheus knows nothing of {path}");
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // Only what was started here.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_scrapes_a_worker_and_promtool_finds_nothing_wrong() {
    let own = Own::start(&Own::folder("metrics"), &["--workers", "1"]);
    let dev = own.dev();
    let url = dev["metrics_url"].as_str().expect("a URL").to_owned();
    let prometheus = Prometheus::start(&own, url.trim_start_matches("http://").trim_end_matches("/metrics"));
    let plan = json!({"goal": "count", "steps": [{"name": "b", "tool": "bash", "needs": [], "inputs": {"script": "true"}},
        {"name": "f", "tool": "fail", "needs": [], "retry": {"max_attempts": 2, "initial_ms": 10}, "inputs": {"transient": true}}]});
    let request = nofx_shared::net::client().post(format!("{}/api/runs", dev["api_url"].as_str().expect("a URL")));
    let request = request.bearer_auth(dev["tokens"]["contributor"].as_str().expect("a token"));
    let request = request.header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").json(&json!({"plan": plan}));
    let made: Value = request.send().await.expect("an answer").json().await.expect("a run");
    let id = made["id"].as_str().expect("an id").to_owned();
    own.wait(&id, nofx_tests::own::is_finished).await;

    let value = async |query: &str| -> f64 {
        let found = prometheus.ask(&format!("/api/v1/query?query={query}")).await;
        found["result"][0]["value"][1].as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{query}: {found}"))
    };
    assert!(value("nofx_step_attempts_total%7Btool%3D%22bash%22%2Coutcome%3D%22succeeded%22%7D%3E0").await >= 1.0);
    assert!(value("nofx_step_attempts_total%7Btool%3D%22fail%22%2Coutcome%3D%22failed_transient%22%7D%3E1").await >= 2.0);
    assert!(value("nofx_steps_claimed_total%7Battempt%3D%22retry%22%7D%3E0").await >= 1.0);
    assert!(value("nofx_dead_letters%3E0").await >= 1.0, "at most ten seconds later");
    for name in [
        "nofx_queue_latency_seconds_count",
        "nofx_settle_duration_seconds_count",
        "nofx_process_cpu_seconds_total",
        "nofx_process_memory_bytes",
    ] {
        assert!(value(&format!("{name}%3E0")).await > 0.0, "{name}");
    }
    for query in [
        "nofx_queue_steps%7Bstate%3D%22ready%22%7D",
        "nofx_queue_oldest_ready_seconds",
        "nofx_breakers%7Bstate%3D%22open%22%7D",
        "nofx_gates_pending",
        "nofx_leases_expired_last_hour",
        "nofx_hook_deliveries_pending",
        "nofx_hook_deliveries_failed",
        "nofx_alerts_open",
        "nofx_rate_limited_requests_total",
    ] {
        value(query).await;
    }
    let exemplars = prometheus.ask("/api/v1/query_exemplars?query=nofx_step_duration_seconds_bucket&start=0&end=9999999999").await;
    assert!(exemplars[0]["exemplars"][0]["labels"]["trace_id"].as_str().is_some_and(|id| id.len() == 32), "{exemplars}");

    let text = nofx_shared::net::client().get(&url).send().await.expect("an answer").text().await.expect("text");
    let file = own.dir.join("metrics.txt");
    std::fs::write(&file, text).expect("a file");
    let checked = Command::new(target().join("prometheus/unpacked/usr/bin/promtool"))
        .args(["check", "metrics"])
        .stdin(std::fs::File::open(&file).expect("a file"))
        .output()
        .expect("promtool");
    let printed = format!("{}{}", String::from_utf8_lossy(&checked.stdout), String::from_utf8_lossy(&checked.stderr));
    assert!(checked.status.success(), "{printed}");
}
