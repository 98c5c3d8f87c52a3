//! The stack that scripts/test.sh started.

use crate::WAIT_LIMIT;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Once};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Names the scenarios that a host's test runs instead of the usual ones.
pub(crate) const SCENARIOS: &str = "NOFX_TEST_SCENARIOS";
/// Names the host's test that the scenarios are part of.
pub(crate) const HOST: &str = "NOFX_TEST_HOST";

pub static STACK: LazyLock<Stack> = LazyLock::new(|| {
    let file = dev_file();
    let text = std::fs::read_to_string(&file).expect("dev.json can be read");
    Stack { dev: serde_json::from_str(&text).expect("dev.json is JSON") }
});

/// Its `dev.json`.
pub fn dev_file() -> PathBuf {
    given("NOFX_TEST_STACK")
}

/// A file of scripts/test.sh. A test that uses one has its failures explained.
fn given(name: &str) -> PathBuf {
    static EXPLAINED: Once = Once::new();
    let path = |name| std::env::var_os(name).map(PathBuf::from);
    EXPLAINED.call_once(|| explain_failures(path("NOFX_TEST_STACK").unwrap_or_default().with_file_name("dev.log")));
    path(name).expect("not given: run the tests with scripts/test.sh, it makes all they need")
}

/// A failing test also prints the last warnings of the stack, and the command that runs that test alone.
fn explain_failures(log: PathBuf) {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        for line in last_errors(&log) {
            eprintln!("stack: {line}");
        }
        // Not a thread of a runtime's.
        if let Some(test) = std::thread::current().name().filter(|name| *name != "main" && !name.starts_with("tokio")) {
            match std::env::var(HOST) {
                Ok(host) => eprintln!("again: {SCENARIOS}={test} scripts/test.sh {host}"),
                Err(_) => eprintln!("again: scripts/test.sh {test}"),
            }
        }
    }));
}

/// The last twenty warnings and errors.
fn last_errors(log: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let mut lines: Vec<String> =
        text.lines().rev().filter(|line| line.contains("ERROR") || line.contains("WARN")).take(20).map(str::to_owned).collect();
    lines.reverse();
    lines
}

pub struct Stack {
    dev: Value,
}

impl Stack {
    pub fn get(&self, key: &str) -> &str {
        self.dev[key].as_str().unwrap_or_else(|| panic!("dev.json has no {key}"))
    }

    pub fn json(&self, key: &str) -> &Value {
        &self.dev[key]
    }

    /// All of dev.json.
    pub fn dev(&self) -> &Value {
        &self.dev
    }

    /// A direct connection, as the owner of the schema.
    pub async fn sql(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(self.get("db_url"), tokio_postgres::NoTls).await.expect("Postgres answers");
        tokio::spawn(connection);
        client
    }
}

/// The workspace that a step of a run on the shared stack had last: only its user and this one can enter it.
pub fn workspace(run: &str) -> PathBuf {
    workspace_in(dev_file().parent().expect("a folder"), run)
}

/// The same of a stack with this data folder.
pub fn workspace_in(data: &Path, run: &str) -> PathBuf {
    let (folder, prefix) = (data.join("workspaces"), format!("{}.of-", run.replace('-', "")));
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let of_run = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix));
    let made = |entry: &std::fs::DirEntry| entry.metadata().and_then(|meta| meta.created()).ok();
    of_run.max_by_key(made).map_or_else(|| folder.join(prefix), |entry| entry.path())
}

/// The process id of the worker of a supervisor, which dev.json names, once it has started. Its name is what it was started as, and keepers
/// are root's.
pub fn worker_of(supervisor: &Value) -> u64 {
    let status = |pid: &str| std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let begun = Instant::now();
    loop {
        let children = std::fs::read_to_string(format!("/proc/{supervisor}/task/{supervisor}/children")).expect("children");
        let worker = children.split_whitespace().find(|pid| status(pid).contains("Uid:\t10001\t10001\t10001\t10001\n"));
        if let Some(worker) = worker.and_then(|pid| pid.parse().ok()) {
            return worker;
        }
        assert!(begun.elapsed() < WAIT_LIMIT, "it has no worker: {children}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The `nofx` binary that scripts/test.sh built; functions, and Lambda's, are beside it.
pub fn binary() -> PathBuf {
    let path = given("NOFX_TEST_BINARY");
    if path.is_absolute() { path } else { root().join(path) }
}

/// Where cargo builds: the programs of a run are in a folder there.
pub fn target() -> PathBuf {
    binary().ancestors().nth(2).expect("the binary is in a folder of the build folder").to_owned()
}

pub fn root() -> PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace").to_owned()
}
