//! Workers that cannot reach the database until their leases end: their steps are stopped, before others run them.
#![expect(clippy::disallowed_methods, reason = "starts workers of its own")]

use nofx_tests::WAIT_LIMIT;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nofx_tests::faults::Way;
use nofx_tests::own::{Own, is_finished};
use nofx_tests::stack::binary;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Longer than any delay of a busy machine.
const LEASE_S: &str = "10";

/// A worker beside a stack; the test chooses how it reaches the database.
struct Worker {
    process: Child,
    metrics_url: String,
    log: std::path::PathBuf,
}

impl Worker {
    fn start(own: &Own, name: &str, ways: &[&Way; 3], more: &[(&str, &str)]) -> Self {
        let dev = own.dev();
        let text = |key: &str| dev[key].as_str().expect("text").to_owned();
        let [rest, supabase, db] = ways;
        let admin = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
        let log = own.dir.join(format!("{name}.log"));
        let file = std::fs::File::create(&log).expect("a file");
        let process = Command::new(binary())
            .arg("worker")
            .envs([("NOFX_REST_URL", &rest.url), ("SUPABASE_URL", &supabase.url)])
            .env("NOFX_DB_URL", at(&text("db_url"), db))
            .env("SUPABASE_ANON_KEY", text("anon_key"))
            .env("SUPABASE_SERVICE_ROLE_KEY", text("service_role_key"))
            .env_remove("SUPABASE_JWT_SECRET")
            .env("NOFX_SIGNING_KEY", text("signing_key"))
            .env("NOFX_ENCRYPTION_KEYS", text("encryption_keys"))
            .env("NOFX_WORKER_NAME", name)
            .env("NOFX_WORKSPACES", own.dir.join(format!("{name}.workspaces")))
            .env("NOFX_ADMIN_PORT", admin.port().to_string())
            .envs([("NOFX_LEASE_S", LEASE_S), ("NOFX_DRAIN_S", "1"), ("RUST_LOG", "error")])
            .envs(more.iter().copied())
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a file"))
            .stderr(file)
            .spawn()
            .expect("it starts");
        Self { process, metrics_url: format!("http://{admin}/metrics"), log }
    }

    /// Waits until its metrics have these lines.
    async fn counts(&self, lines: &[&str]) {
        let begun = Instant::now();
        loop {
            let metrics = async { nofx_shared::net::client().get(&self.metrics_url).send().await?.text().await };
            let metrics = metrics.await.unwrap_or_default();
            if lines.iter().all(|line| metrics.lines().any(|found| found == *line)) {
                return;
            }
            assert!(begun.elapsed() < WAIT_LIMIT, "{lines:?} are not in {metrics}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        Own::kill(i64::from(self.process.id()), Signal::SIGTERM);
        drop(self.process.wait());
    }
}

/// The same database through a proxy.
fn at(db_url: &str, way: &Way) -> String {
    let (sign_in, rest) = db_url.rsplit_once('@').expect("a user");
    let (_, database) = rest.split_once('/').expect("a database");
    format!("{sign_in}@{}/{database}", way.url.trim_start_matches("http://"))
}

/// Proxies to the database, to the rest of Supabase and to Postgres itself.
async fn ways(own: &Own) -> [Way; 3] {
    let dev = own.dev();
    let text = |key: &str| dev[key].as_str().expect("text").to_owned();
    let (_, address) = text("db_url").rsplit_once('@').map(|(sign_in, rest)| (sign_in.to_owned(), rest.to_owned())).expect("a user");
    let address = address.split('/').next().expect("an address").to_owned();
    [Way::to(&text("rest_url")).await, Way::to(&text("supabase_url")).await, Way::to(&format!("http://{address}")).await]
}

/// A step that holds a connection to this test as long as its process lives, and ends when it is told something.
fn plan(port: u16) -> Value {
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port} && echo begun >&3 && read -r answer <&3 && echo \"$answer\"");
    json!({"goal": "fence", "steps": [{"name": "held", "tool": "bash", "inputs": {"script": script}}]})
}

/// The next process of the step.
async fn begun(listener: &TcpListener) -> BufReader<TcpStream> {
    let accepted = tokio::time::timeout(WAIT_LIMIT, listener.accept()).await;
    let mut stream = BufReader::new(accepted.expect("it begins").expect("a connection").0);
    let mut line = String::new();
    stream.read_line(&mut line).await.expect("a line");
    assert_eq!(line, "begun\n");
    stream
}

/// Notes when the process is gone: the kernel closes its connection.
fn note_its_end(mut stream: BufReader<TcpStream>, notes: &Arc<Mutex<Vec<&'static str>>>) -> tokio::task::JoinHandle<()> {
    let notes = Arc::clone(notes);
    tokio::spawn(async move {
        let mut rest = vec![];
        drop(stream.read_to_end(&mut rest).await);
        notes.lock().expect("not poisoned").push("the first ended");
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_of_a_worker_that_is_cut_off_never_runs_at_two_places() {
    let own = Own::start(&Own::folder("fence"), &["--workers", "0"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let ports = port.to_string();
    let (theirs, open) = (ways(&own).await, ways(&own).await);
    let cut_off = Worker::start(&own, "cut-off", &theirs.each_ref(), &[("NOFX_STEP_PORTS", &ports)]);
    let id = own.submit(&plan(port)).await;
    let notes = Arc::new(Mutex::new(vec![]));
    let first_ended = note_its_end(begun(&listener).await, &notes);
    let _other = Worker::start(&own, "other", &open.each_ref(), &[("NOFX_STEP_PORTS", &ports), ("NOFX_SWEEP_S", "1")]);
    // No call fails at once: each waits for an answer.
    theirs.iter().for_each(Way::silence);

    let mut second = begun(&listener).await;
    notes.lock().expect("not poisoned").push("the second began");
    second.write_all(b"done\n").await.expect("told");
    let run = own.wait(&id, is_finished).await;
    let step = &run["steps"][0];
    assert_eq!((run["status"].as_str(), &step["attempt"], &step["outputs"]["stdout"]), (Some("succeeded"), &json!(2), &json!("done\n")));
    assert_eq!((&step["attempts"][0]["outcome"], &step["attempts"][0]["worker"]), (&json!("lease_expired"), &json!("cut-off")), "{run}");
    first_ended.await.expect("it ended");
    assert_eq!(*notes.lock().expect("not poisoned"), ["the first ended", "the second began"]);

    // What it says when it is back does not count, and it says what it did.
    theirs.iter().for_each(Way::mend);
    cut_off.counts(&["nofx_steps_fenced_total 1", "nofx_outcomes_refused_total 1", "nofx_steps_running 0"]).await;
    let log = std::fs::read_to_string(&cut_off.log).expect("its log");
    assert!(log.contains("the database cannot be reached") && log.contains(step["id"].as_str().expect("an id")), "{log}");
    assert_eq!(own.settled_twice().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_the_database_interrupts_steps_and_makes_none_poison() {
    let own = Own::start(&Own::folder("fence"), &["--workers", "0"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let ports = port.to_string();
    let theirs = ways(&own).await;
    // It alone could expire its own leases, and does not check them.
    let settings = [("NOFX_STEP_PORTS", ports.as_str()), ("NOFX_SWEEP_S", "3600")];
    let worker = Worker::start(&own, "only", &theirs.each_ref(), &settings);
    let id = own.submit(&plan(port)).await;
    let notes = Arc::new(Mutex::new(vec![]));
    for _ in 0..2 {
        let ended = note_its_end(begun(&listener).await, &notes);
        theirs.iter().for_each(Way::cut);
        tokio::time::timeout(WAIT_LIMIT, ended).await.expect("it is stopped").expect("it ended");
        theirs.iter().for_each(Way::mend);
    }
    let mut third = begun(&listener).await;
    third.write_all(b"done\n").await.expect("told");
    let run = own.wait(&id, is_finished).await;
    let step = &run["steps"][0];
    assert_eq!((run["status"].as_str(), &step["attempt"]), (Some("succeeded"), &json!(3)), "{run}");
    let why = "its worker could not reach the database until the lease ended, and had stopped it by then";
    for attempt in &step["attempts"].as_array().expect("attempts")[..2] {
        assert_eq!((&attempt["outcome"], &attempt["error"]["message"]), (&json!("interrupted"), &json!(why)), "{run}");
    }
    let events = "select count(*) from nofx.event where type = 'step.interrupted' and data #>> '{error,message}' = $1";
    assert_eq!(own.sql().await.query_one(events, &[&why]).await.expect("a count").get::<_, i64>(0), 2);
    worker.counts(&["nofx_steps_fenced_total 2", "nofx_outcomes_refused_total 0"]).await;
}
