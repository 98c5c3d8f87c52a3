//! What a hostile program tries (`sandbox/tests/confine/attempts.py`), as a step through the API, on a stack whose operator lets every level
//! run. It finds what the table beside it promises for its level.
#![expect(clippy::disallowed_methods, reason = "installs a program")]

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use nofx_tests::WAIT_LIMIT;
use nofx_tests::own::{Own, is_finished};
use nofx_tests::people::step;
use nofx_tests::stack::{worker_of, workspace_in};
use serde_json::{Value, json};
use tempfile::TempDir;

const ATTEMPTS: &str = include_str!("../../sandbox/tests/confine/attempts.py");
const OUTCOMES: &str = include_str!("../../sandbox/tests/confine/outcomes.json");
const LEVELS: [&str; 3] = ["L1", "L2", "L3"];

/// Prints what the attempts found, then the user that a setuid program of root's is, and that of the step.
const TRY: &str = r#"export PATH=/usr/local/bin:/usr/bin:/bin
python3 -I -c "$ATTEMPTS"
"$TOOLS/id" -u
id -u"#;

/// A step of another run, which waits for the end of this one.
const NEIGHBOUR: &str = "echo $$ > half; mv half neighbour; until [ -e done ]; do sleep 0.1; done";

/// What of this machine the attempts are about.
struct Machine {
    outside: TempDir,
    tools: TempDir,
    writable_tools: TempDir,
}

impl Machine {
    fn new() -> Self {
        let open = |mode: u32| {
            let folder = tempfile::tempdir().expect("a folder");
            std::fs::set_permissions(folder.path(), Permissions::from_mode(mode)).expect("own");
            folder
        };
        let machine = Self { outside: open(0o777), tools: open(0o755), writable_tools: open(0o777) };
        for (name, mode) in [("public", 0o644), ("private", 0o600)] {
            let path = machine.outside.path().join(name);
            std::fs::write(&path, "x").expect("a file");
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).expect("own");
        }
        // Not this process: its children would have the file open for writing.
        let id: PathBuf = machine.tools.path().join("id");
        assert!(Command::new("install").args(["-m", "4755", "/usr/bin/id"]).arg(id).status().expect("install").success());
        machine
    }

    /// The folders that steps may read.
    fn toolchains(&self) -> String {
        [&self.tools, &self.writable_tools].map(|folder| folder.path().display().to_string()).join(":")
    }
}

fn expected(network: &str) -> BTreeMap<String, [String; 3]> {
    let mut all: BTreeMap<String, BTreeMap<String, [String; 3]>> = serde_json::from_str(OUTCOMES).expect("the table");
    let differing = all.remove(network).expect("a section");
    let mut expected = all.remove("none").unwrap_or_default();
    expected.extend(differing);
    // The neighbour here is another user.
    for (name, outcomes) in expected.iter_mut().filter(|(name, _)| name.contains("neighbour")) {
        assert!(!outcomes[1].contains("done"), "{name}");
        outcomes[0] = outcomes[1].clone();
    }
    match network {
        "all" => {
            // Those of this machine, if it has them; `confine::escape` gives a network of its own both.
            expected.remove("connect to the metadata service");
            expected.remove("connect to the metadata of a task");
        }
        // It listens at a port that the step has in its environment: see `egress`.
        "proxy" => drop(expected.remove("connect to the proxy")),
        _ => {}
    }
    expected
}

/// Runs the attempts as a step; what they found.
async fn attempt(own: &Own, machine: &Machine, level: &str, network: &str) -> BTreeMap<String, String> {
    let listener = || TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = |listener: &TcpListener| listener.local_addr().expect("an address").port();
    let (service, other) = (listener(), listener());
    let free = port(&listener());
    let name = format!("outside-{}", uuid::Uuid::now_v7().simple());
    let _abstract = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).expect("a name")).expect("a socket");
    let outside: &Path = machine.outside.path();
    let socket = outside.join(&name);
    let _socket = UnixListener::bind(&socket).expect("a socket");
    std::fs::set_permissions(&socket, Permissions::from_mode(0o777)).expect("own");
    let neighbour = own
        .submit(&json!({"goal": "neighbour", "steps": [
            {"name": "neighbour", "tool": "bash", "timeout_s": 120, "min_isolation": "L1", "inputs": {"script": NEIGHBOUR}}]}))
        .await;
    let begun = std::time::Instant::now();
    let pid: u64 = loop {
        let pid = std::fs::read_to_string(workspace_in(&own.dir, &neighbour).join("neighbour")).ok();
        if let Some(pid) = pid.and_then(|pid| pid.trim().parse().ok()) {
            break pid;
        }
        assert!(begun.elapsed() < WAIT_LIMIT, "the neighbour does not begin");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    let about = json!({
        "outside": outside, "public": outside.join("public"), "private": outside.join("private"), "toolchain": machine.tools.path(),
        "read_only": machine.writable_tools.path(), "parent": worker_of(&own.dev()["pids"]["workers"][0]), "service": port(&service), "proxy": port(&other), "free": free,
        "abstract": name, "socket": socket, "neighbour": pid,
    });
    let env = json!({"ABOUT": about.to_string(), "ATTEMPTS": ATTEMPTS, "TOOLS": machine.tools.path()});
    let resources = json!({"network": network});
    let run = own
        .run(&json!({"goal": "escape", "steps": [
            {"name": "try", "tool": "bash", "timeout_s": 120, "min_isolation": level, "resources": resources, "env": env,
                "retry": {"max_attempts": 1}, "inputs": {"script": TRY}}]}))
        .await;
    let tried = step(&run, "try");
    assert_eq!(tried["status"], "succeeded", "{level}, {network}: {tried}");
    let held = &tried["attempts"][0]["isolation"];
    // At L1 nothing restricts ports.
    let restricted = if (level, network) == ("L1", "all") { Value::Null } else { json!(network) };
    assert_eq!((&held["level"], &held["network"]), (&json!(level), &restricted), "{tried}");
    std::fs::write(workspace_in(&own.dir, &neighbour).join("done"), "").expect("written");
    let neighbour = own.wait(&neighbour, is_finished).await;
    assert_eq!(neighbour["steps"][0]["attempts"][0]["isolation"]["level"], "L1", "{neighbour}");
    // At L1 these folders are those of the host.
    let _ = std::fs::remove_file(format!("/dev/shm/written-by-{}", held["uid"]));
    for (folder, is_open) in [(outside, level == "L1"), (machine.writable_tools.path(), level == "L1"), (machine.tools.path(), false)] {
        let written = folder.join("written");
        assert_eq!(written.exists(), is_open, "{level}, {network}: {}", written.display());
        let _ = std::fs::remove_file(written);
    }
    let _ = std::fs::remove_dir(outside.join("moved"));
    let lines: Vec<&str> = tried["outputs"]["stdout"].as_str().expect("text").lines().collect();
    let [found, setuid, own_user] = lines[..] else { panic!("{lines:?}") };
    assert_eq!(setuid, own_user, "{level}, {network}: a setuid program gains");
    assert_eq!(held["uid"].to_string(), own_user, "{tried}");
    serde_json::from_str(found).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_finds_what_its_level_promises_and_nothing_else() {
    let machine = Machine::new();
    let settings = [("NOFX_ISOLATION_FLOOR", "L1"), ("NOFX_TOOLCHAINS", &machine.toolchains())];
    let own = Own::start_with(&Own::folder("escape"), &["--workers", "1"], &settings);
    let before = own.dev()["pids"].clone();
    for network in ["none", "proxy", "all"] {
        let expected = expected(network);
        // The proxy is refused at L1, where nothing keeps a program to it.
        for (column, level) in LEVELS.into_iter().enumerate().filter(|(_, level)| (network, *level) != ("proxy", "L1")) {
            let found = attempt(&own, &machine, level, network).await;
            let differs = |(name, outcomes): &(&String, &[String; 3])| {
                found.get(*name).is_none_or(|outcome| !outcomes[column].split('|').any(|one| one == outcome))
            };
            let other: Vec<_> = expected.iter().filter(differs).map(|(name, all)| (name, found.get(name), &all[column])).collect();
            assert!(other.is_empty(), "{level}, network {network}; found, expected: {other:#?}");
        }
    }
    assert_eq!(own.dev()["pids"], before, "no process of the stack was ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_service_of_the_stack_is_within_reach_at_l1_only() {
    let settings = [("NOFX_ISOLATION_FLOOR", "L1")];
    let own = Own::start_with(&Own::folder("escape-services"), &["--workers", "1", "--queue", "redis"], &settings);
    let dev = own.dev();
    let urls = ["api_url", "supabase_url", "rest_url", "db_url", "metrics_url"].map(|key| (key.to_owned(), dev[key].clone()));
    let urls = urls.into_iter().chain([("redis".to_owned(), Value::from(own.queue()["REDIS_URL"].as_str()))]);
    let port = |url: &Value| {
        let url = url.as_str().expect("a URL");
        url.rsplit_once(':').expect("a port").1.chars().take_while(char::is_ascii_digit).collect::<String>()
    };
    let mut script = String::from("set +e\n");
    for (name, url) in urls {
        let connect =
            format!("(exec 3<>/dev/tcp/127.0.0.1/{}) 2>/dev/null && echo {name}: connected || echo {name}: refused\n", port(&url));
        script.push_str(&connect);
    }
    for (level, outcome) in [("L1", "connected"), ("L2", "refused"), ("L3", "refused")] {
        let one = json!({"name": "try", "tool": "bash", "min_isolation": level, "inputs": {"script": script}});
        let run = own.run(&json!({"goal": "escape", "steps": [one]})).await;
        let tried = step(&run, "try");
        assert_eq!(tried["attempts"][0]["isolation"]["level"], level, "{tried}");
        let lines: Vec<&str> = tried["outputs"]["stdout"].as_str().expect("text").lines().collect();
        assert_eq!(lines.len(), 6, "{tried}");
        assert!(lines.iter().all(|line| line.ends_with(outcome)), "{level}: {lines:?}");
    }
}
