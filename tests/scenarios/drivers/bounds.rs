//! Steps that use more than they may: they end with what they used too much of, and nobody else notices.

use std::os::unix::fs::MetadataExt;

use nofx_tests::Tenant;
use nofx_tests::people::{Person, step};
use nofx_tests::plans::plan;
use nofx_tests::stack::{STACK, workspace};
use serde_json::{Value, json};

async fn failed(person: &Person, script: &str, resources: Value) -> String {
    let asked = json!({"name": "try", "tool": "bash", "resources": resources, "inputs": {"script": script}, "retry": {"max_attempts": 1}});
    let run = person.run(plan(vec![asked])).await;
    let tried = step(&run, "try");
    assert_eq!(tried["status"], "failed", "{tried}");
    tried["error"]["message"].as_str().expect("a message").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_uses_too_much_says_what() {
    let person = Tenant::new().await.contributor();
    let shared =
        "python3 -I -c 'import mmap, time; m = mmap.mmap(-1, 300 << 20)\nfor n in range(0, 300 << 20, 4096): m[n] = 1\ntime.sleep(600)'";
    let why = failed(&person, shared, json!({"memory_mb": 128})).await;
    assert_eq!(why, "the process used more than 128 MiB of memory, all of its processes together");
    let files = "for n in $(seq 20); do head -c 2097152 /dev/zero > $n; done; sleep 600";
    let why = failed(&person, files, json!({"disk_mb": 20})).await;
    assert_eq!(why, "the process used more than 20 MiB of disk, its workspace and temporary folders together");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_says_which_limits_held_for_all_of_its_processes_together() {
    let person = Tenant::new().await.contributor();
    let run = person.run(plan(vec![json!({"name": "try", "tool": "bash", "inputs": {"script": "true"}})])).await;
    let limits = &step(&run, "try")["attempts"][0]["isolation"]["limits"];
    assert!(limits["total_memory_mb"].as_u64().is_some_and(|mb| mb > 100), "{limits}");
    assert_eq!((&limits["total_disk_mb"], &limits["total_files"], &limits["memory_mb"]), (&json!(20_480), &json!(2_000_000), &Value::Null));
}

/// Each a bomb of another kind; they are stopped, or end themselves.
const BOMBS: [(&str, &str); 7] = [
    ("fork", "perl -e '$SIG{$_} = q(IGNORE) for qw(HUP TERM INT CHLD); while (1) { fork; setpgrp }'"),
    ("generations", "perl -e '$SIG{CHLD} = q(IGNORE); while (1) { my $child = fork; exit if $child; setpgrp }' ; sleep 600"),
    (
        "memory",
        "python3 -I -c 'import mmap\nall = []\nwhile True: m = mmap.mmap(-1, 4 << 20); all.append(m); [m.__setitem__(n, 1) for n in range(0, 4 << 20, 4096)]'",
    ),
    ("disk", "n=0; while :; do n=$((n + 1)); head -c 1048576 /dev/zero > $n; done"),
    // Files without a block count by their number; these are not too many, but many to remove.
    ("inodes", "mkdir d; cd d; for n in $(seq 50); do seq 1000 | sed s/^/$n-/ | xargs touch; done; sleep 600"),
    ("log", "exec yes yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"),
    (
        "descriptors",
        "python3 -I -c 'import os, time\nall = []\nwhile True:\n    try: all.append(os.open(\"/dev/null\", 0))\n    except OSError: time.sleep(0.01)'",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_step_completes_while_hostile_ones_run() {
    let (hostile, neighbour) = (Tenant::new().await.contributor(), Tenant::new().await.contributor());
    let workers = |dev: &Value| dev["pids"]["workers"].clone();
    let before = workers(STACK.dev());
    let bomb = |n: usize| {
        let (name, script) = BOMBS[n % BOMBS.len()];
        // Each kind at both levels.
        let level = if (n / BOMBS.len()).is_multiple_of(2) { "L2" } else { "L3" };
        json!({"name": format!("{name}-{n}"), "tool": "bash", "min_isolation": level, "timeout_s": 8, "retry": {"max_attempts": 1},
            "resources": {"memory_mb": 64, "disk_mb": 40, "processes": 40}, "inputs": {"script": format!("touch begun; {script}")}})
    };
    let count = if nofx_tests::suite::is_long() { 32 } else { 14 };
    let mut runs = vec![];
    for n in 0..count {
        runs.push(hostile.submit(plan(vec![bomb(n)])).await);
    }
    // Not before one of them does its work.
    while !runs.iter().any(|run| workspace(run).join("begun").exists()) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let run = neighbour.run(plan(vec![json!({"name": "honest", "tool": "bash", "inputs": {"script": "echo done"}})])).await;
    assert_eq!(step(&run, "honest")["outputs"]["stdout"], "done\n", "{run}");
    let mut users = vec![];
    for run in &runs {
        let ended = hostile.end(run).await;
        let tried = &ended["steps"][0];
        let has_ended = match tried["status"].as_str() {
            Some("failed") => tried["error"]["message"].as_str().is_some_and(|why| why.contains("used more than")),
            status => status == Some("timed_out"),
        };
        assert!(has_ended, "{tried}");
        users.extend(tried["attempts"][0]["isolation"]["uid"].as_u64());
    }
    let now: Value = serde_json::from_slice(&std::fs::read(nofx_tests::stack::dev_file()).expect("dev.json")).expect("JSON");
    assert_eq!(workers(&now), before, "no worker was ended");
    assert!(users.len() > count / 3, "most say whose their processes were: {}", users.len());
    let is_of_them = |entry: &std::fs::DirEntry| entry.metadata().is_ok_and(|meta| users.contains(&u64::from(meta.uid())));
    let left = || std::fs::read_dir("/proc").expect("processes").flatten().find(is_of_them).map(|entry| entry.path());
    // An attempt that was stopped ends a little before the last of its processes.
    let begun = std::time::Instant::now();
    while let Some(left) = left() {
        assert!(begun.elapsed().as_secs() < 60, "{} runs on", left.display());
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}
