use nofx_tests::own::Own;
use nofx_tests::plans::plan;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The most memory that a process ever had, in MB.
/// The worker that a supervisor has started first.
fn worker_of(supervisor: i64) -> Option<i64> {
    let children = std::fs::read_to_string(format!("/proc/{supervisor}/task/{supervisor}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

fn peak_mb(pid: i64) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process is there");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    peak.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "a flag makes it large")]
async fn a_file_larger_than_memory_goes_through_in_pieces() {
    // A stack of its own: what others did would count as its peak.
    let own = Own::start(&Own::folder("large"), &["--workers", "1"]);
    let dev = own.dev();
    let bytes: u64 = if std::env::var_os("NOFX_TEST_LONG").is_some() { 1 << 30 } else { 160 << 20 };
    let make = format!("head -c {bytes} /dev/zero | tr '\\0' x > big.bin");
    let plan = plan(vec![
        json!({"name": "make", "tool": "bash", "needs": [], "timeout_s": 300, "inputs": {"script": make, "artifacts": ["big.bin"]}}),
        json!({"name": "use", "tool": "bash", "needs": ["make"], "timeout_s": 300,
            "inputs": {"fetch": {"again.bin": "${{ steps.make.outputs.artifacts['big.bin'] }}"}, "script": "cmp big.bin again.bin && rm *.bin"}}),
    ]);
    let id = own.submit(&plan).await;
    let run = own.wait(&id, nofx_tests::own::is_finished).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    let artifact = run["artifacts"].as_array().expect("artifacts").iter().find(|one| one["name"] == "big.bin").expect("it is kept").clone();
    assert_eq!(artifact["size_bytes"], bytes);

    let client = nofx_shared::net::client();
    let token = dev["tokens"]["viewer"].as_str().expect("a token");
    let content = format!("{}/api/artifacts/{}/content", dev["api_url"].as_str().expect("a URL"), artifact["id"].as_str().expect("an id"));
    let answer = client.get(content).bearer_auth(token).send().await.expect("an answer");
    let mut response = client.get(answer.headers()["location"].to_str().expect("a URL")).send().await.expect("an answer");
    let mut sum = Sha256::new();
    while let Some(piece) = response.chunk().await.expect("a piece") {
        sum.update(&piece);
    }
    assert_eq!(artifact["hash"], nofx_shared::crypto::format_digest(&sum.finalize()));
    let workers = dev["pids"]["workers"].as_array().expect("workers").iter().filter_map(Value::as_i64);
    for pid in workers.chain(dev["pids"]["api"].as_i64()) {
        let peak = peak_mb(worker_of(pid).unwrap_or(pid));
        assert!(peak < 120, "process {pid} had {peak} MB");
    }
}
