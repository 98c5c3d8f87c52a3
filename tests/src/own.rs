//! A stack of a test's own: to be killed, stopped, started again.

use crate::WAIT_LIMIT;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::Method;
use serde_json::{Value, json};

use crate::stack::{binary, dev_file, root};

/// A running `nofx dev`; dropping it stops it and removes its folder. It also ends, and removes its folder, when this process is killed.
pub struct Own {
    pub dir: PathBuf,
    pub process: Child,
}

/// A failed call.
#[derive(Debug)]
pub struct Failed {
    /// None when there was no response.
    pub status: Option<u16>,
    pub detail: String,
    /// Refused for now: no connection, or a 503 that says when to come back.
    passing: bool,
}

impl From<reqwest::Error> for Failed {
    fn from(error: reqwest::Error) -> Self {
        let detail = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        let detail = detail.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        Self { status: None, detail, passing: error.is_connect() }
    }
}

impl Own {
    /// Starts a stack in the folder, or again in one that has been used. `arguments` are those of `nofx dev`.
    pub fn start(dir: &Path, arguments: &[&str]) -> Self {
        Self::start_with(dir, arguments, &[])
    }

    /// The same, with settings.
    pub fn start_with(dir: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        Self::start_by(Command::new(binary()), dir, arguments, settings)
    }

    /// The same, by a command that becomes `nofx` with what follows.
    pub fn start_by(command: Command, dir: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        std::fs::create_dir_all(dir).expect("a folder");
        let is_new = std::fs::read_dir(dir).expect("a folder").next().is_none();
        if is_new && !settings.iter().any(|(name, _)| *name == "NOFX_DB_URL") {
            copy(&template(), dir);
        }
        Self::run_by(command, dir, arguments, settings)
    }

    /// The same, with a database and keys of its own: nothing is copied from the template.
    pub fn make(dir: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        Self::run_by(Command::new(binary()), dir, arguments, settings)
    }

    /// The same, by a command that becomes `nofx` with what follows.
    pub fn run_by(mut command: Command, dir: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        std::fs::create_dir_all(dir).expect("a folder");
        let log = std::fs::File::create(dir.join("dev.log")).expect("a file");
        let process = command
            .args(["dev", "--temporary", "--port", "0", "--data-dir"])
            .arg(dir)
            .args(arguments)
            .current_dir(root())
            .env("NOFX_SWEEP_S", "1")
            .env("NOFX_DRAIN_S", "1")
            .env("RUST_LOG", "error")
            .envs(settings.iter().copied())
            // Its other end closes when this process ends, however it ends.
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a file"))
            .stderr(log)
            .spawn()
            .expect("the stack starts");
        let mut own = Self { dir: dir.to_owned(), process };
        let begin = Instant::now();
        // A stack that was killed leaves its dev.json behind.
        let id = u64::from(own.process.id());
        while own.read().is_none_or(|dev| dev["pids"]["api"].as_u64() != Some(id)) {
            let ended = own.process.try_wait().expect("a state");
            assert!(ended.is_none() && begin.elapsed() < WAIT_LIMIT, "the stack did not start: {ended:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        own
    }

    /// A new folder that the user of Postgres can reach.
    pub fn folder(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("nofx-{name}-{}", uuid::Uuid::now_v7().simple()));
        std::fs::create_dir(&dir).expect("a folder");
        dir
    }

    pub fn dev(&self) -> Value {
        let begun = Instant::now();
        loop {
            if let Some(dev) = self.read() {
                return dev;
            }
            assert!(begun.elapsed() < WAIT_LIMIT, "{} has no dev.json", self.dir.display());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn read(&self) -> Option<Value> {
        serde_json::from_slice(&std::fs::read(self.dir.join("dev.json")).ok()?).ok()
    }

    /// Asks it to stop and waits until it has; the folder stays.
    pub fn stop(&mut self) -> std::process::ExitStatus {
        self.stop_by(Signal::SIGTERM)
    }

    /// The same, by a signal.
    pub fn stop_by(&mut self, signal: Signal) -> std::process::ExitStatus {
        // Waiting lets go of its input, which would remove the folder if it came before the end.
        let input = self.process.stdin.take();
        Self::kill(i64::from(self.process.id()), signal);
        let status = self.process.wait().expect("it ends");
        drop(input);
        status
    }

    /// A call of its API as an admin.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failed> {
        let dev = self.dev();
        let url = format!("{}{path}", dev["api_url"].as_str().expect("a URL"));
        let request = nofx_shared::net::client().request(method, url);
        let request = request.bearer_auth(dev["tokens"]["admin"].as_str().expect("a token")).timeout(Duration::from_secs(60));
        let request = body.into_iter().fold(request, reqwest::RequestBuilder::json);
        let response = request.send().await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response.json().await?);
        }
        let passing = status == 503 && response.headers().contains_key("retry-after");
        Err(Failed { status: Some(status.as_u16()), detail: response.text().await.unwrap_or_default(), passing })
    }

    /// The same, again while it is refused for now: parts are being killed, or the machine has much else to do.
    async fn call_in_time(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let begun = Instant::now();
        loop {
            match self.call(method.clone(), path, body).await {
                Ok(answer) => return answer,
                Err(failed) if failed.passing => {
                    assert!(begun.elapsed() < WAIT_LIMIT, "{method} {path} is refused all the time: {failed:?}");
                }
                Err(failed) => panic!("{method} {path}: {failed:?}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Submits a plan; the run's id.
    pub async fn submit(&self, plan: &Value) -> String {
        let run = self.call_in_time(Method::POST, "/api/runs", Some(&json!({"plan": plan}))).await;
        run["id"].as_str().expect("an id").to_owned()
    }

    /// The run, once `ready` says so.
    pub async fn wait(&self, id: &str, ready: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let run = self.call_in_time(Method::GET, &format!("/api/runs/{id}"), None).await;
            if ready(&run) {
                return run;
            }
            assert!(begun.elapsed() < WAIT_LIMIT, "it did not come to that in time: {run}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Submits a plan and waits until the run has finished.
    pub async fn run(&self, plan: &Value) -> Value {
        let id = self.submit(plan).await;
        self.wait(&id, is_finished).await
    }

    /// A direct connection, as the owner of the schema.
    pub async fn sql(&self) -> tokio_postgres::Client {
        let dev = self.dev();
        let db_url = dev["db_url"].as_str().expect("a URL");
        let (sql, connection) = tokio_postgres::connect(db_url, tokio_postgres::NoTls).await.expect("Postgres answers");
        tokio::spawn(connection);
        sql
    }

    /// Expires the leases of the steps that meet the condition: their workers were killed.
    pub async fn end_leases(&self, of: &str) {
        let end = format!(
            "update nofx.step set lease_expires_at = now() - interval '1 second' where status = 'running' and {of};
            update nofx_private.lease_batch set check_at = now() - interval '1 second';
            select set_config('request.jwt.claims', '{{\"role\": \"service_role\"}}', true), nofx.expire_leases()"
        );
        self.sql().await.batch_execute(&end).await.expect("they are taken back");
    }

    /// How many steps were settled more than once: must be none.
    pub async fn settled_twice(&self) -> i64 {
        let twice = "select count(*) from (select step_id from nofx.event where type = 'step.succeeded' group by step_id having count(*) > 1) as twice";
        self.sql().await.query_one(twice, &[]).await.expect("a count").get(0)
    }

    /// The tenant of the people in dev.json.
    pub async fn tenant(&self) -> uuid::Uuid {
        self.sql().await.query_one("select id from nofx.tenant where name = 'dev'", &[]).await.expect("the tenant").get(0)
    }

    /// The settings of its queue, as workers have them.
    pub fn queue(&self) -> BTreeMap<String, String> {
        serde_json::from_value(self.dev()["queue"].clone()).expect("texts")
    }

    pub fn kill(pid: i64, signal: Signal) {
        if let Ok(pid) = i32::try_from(pid)
            && pid > 0
        {
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }

    /// Whether a process is there and no zombie.
    pub fn lives(pid: i64) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next()).is_some_and(|state| state != "Z")
    }
}

/// Leaves nothing behind, even when an assertion failed; then it prints the last output of its parts.
impl Drop for Own {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            self.stop();
        }
        if std::thread::panicking() {
            for entry in std::fs::read_dir(&self.dir).into_iter().flatten().flatten() {
                let path = entry.path();
                // How the database was made is of no use.
                if path.extension().is_some_and(|end| end == "log") && !path.ends_with("initdb.log") {
                    let log = std::fs::read_to_string(&path).unwrap_or_default();
                    let lines: Vec<&str> = log.lines().collect();
                    let last = lines[lines.len().saturating_sub(20)..].join("\n");
                    eprintln!("{}:\n{last}", entry.file_name().display());
                }
            }
        }
        drop(std::fs::remove_dir_all(&self.dir));
    }
}

/// A folder of a stack that was made once and stopped, for all of this run's tests: making one takes six times as long as copying it.
fn template() -> PathBuf {
    let folder = dev_file().with_file_name("template");
    let lock = std::fs::File::create(folder.with_extension("lock")).expect("a file");
    lock.lock().expect("its turn");
    if !folder.exists() {
        let half = folder.with_extension("half");
        let mut own = Own::make(&half, &["--workers", "0"], &[]);
        assert!(own.stop().success(), "the template stops");
        // Dropping it would remove the folder.
        std::fs::rename(&half, &folder).expect("it is whole");
    }
    folder
}

/// With owners, modes and times.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").args(["--archive", "--no-target-directory"]).args([from, to]).status().expect("cp");
    assert!(copied.success(), "{} can be copied", from.display());
}

/// Whether a run has finished.
pub fn is_finished(run: &Value) -> bool {
    matches!(run["status"].as_str(), Some("succeeded" | "failed" | "cancelled"))
}
