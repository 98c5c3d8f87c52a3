//! Another tenant, whose runs go on meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nofx_tests::{Person, Tenant};
use serde_json::json;
use tokio::task::JoinHandle;

/// Runs one after the other, until it is told to stop; each must succeed.
pub(super) struct Neighbour {
    stop: Arc<AtomicBool>,
    running: JoinHandle<Vec<Duration>>,
    quiet: Vec<Duration>,
}

impl Neighbour {
    /// Its first runs are before anything is sent.
    pub(super) async fn start() -> Self {
        let (person, stop) = (Tenant::new().await.contributor(), Arc::new(AtomicBool::new(false)));
        let mut quiet = vec![];
        for _ in 0..20 {
            quiet.push(probe(&person).await);
        }
        let stopped = Arc::clone(&stop);
        let running = tokio::spawn(async move {
            let mut took = vec![];
            while !stopped.load(Ordering::Relaxed) {
                took.push(probe(&person).await);
            }
            took
        });
        Self { stop, running, quiet }
    }

    /// What its runs took, for people: a machine that tests run on is not quiet.
    pub(super) async fn finish(self, during: &str) {
        self.stop.store(true, Ordering::Relaxed);
        let (busy, quiet) = (self.running.await.expect("every run succeeded"), self.quiet);
        assert!(!busy.is_empty(), "no run was made meanwhile");
        let count = busy.len();
        eprintln!("{during}: {count} runs of another tenant, p50 and p99 {:?}; before that {:?}", percentiles(busy), percentiles(quiet));
    }
}

fn percentiles(mut took: Vec<Duration>) -> (Duration, Duration) {
    took.sort_unstable();
    (took[took.len() / 2], took[(took.len() * 99 / 100).min(took.len() - 1)])
}

/// One run of two steps, and how long it took.
async fn probe(person: &Person) -> Duration {
    let begun = Instant::now();
    let steps = json!([{"name": "a", "tool": "noop"}, {"name": "b", "tool": "noop", "inputs": {"x": "${{ steps.a.status }}"}}]);
    let run = person.run(json!({"goal": "probe", "steps": steps})).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    begun.elapsed()
}
