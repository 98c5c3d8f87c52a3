//! A stack of a test's own: to be killed, stopped, started again.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::stack::{binary, root};

/// A running `nofx dev`; dropping it stops it and removes its folder.
pub struct Own {
    pub dir: PathBuf,
    pub process: Child,
}

impl Own {
    /// Starts a stack in the folder, or again in one that has been used. `arguments` are those of `nofx dev`.
    pub fn start(dir: &Path, arguments: &[&str]) -> Self {
        Self::start_with(dir, arguments, &[])
    }

    /// The same, with settings.
    pub fn start_with(dir: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        std::fs::create_dir_all(dir).expect("a folder");
        let process = Command::new(binary())
            .args(["dev", "--port", "0", "--data-dir"])
            .arg(dir)
            .args(arguments)
            .current_dir(root())
            .env("NOFX_LEASE_S", "3")
            .env("NOFX_DRAIN_S", "1")
            .env("RUST_LOG", "error")
            .envs(settings.iter().copied())
            .stderr(Stdio::null())
            .spawn()
            .expect("the stack starts");
        let own = Self { dir: dir.to_owned(), process };
        let begin = Instant::now();
        // A stack that was killed leaves its dev.json behind.
        let ours = |dev: &Value| dev["pids"]["api"].as_u64() == Some(u64::from(own.process.id()));
        while !own.read().as_ref().is_some_and(ours) {
            assert!(begin.elapsed() < Duration::from_secs(60), "the stack did not start");
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
        loop {
            if let Some(dev) = self.read() {
                return dev;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn read(&self) -> Option<Value> {
        serde_json::from_slice(&std::fs::read(self.dir.join("dev.json")).ok()?).ok()
    }

    /// Asks it to stop and waits until it has; the folder stays.
    pub fn stop(&mut self) -> std::process::ExitStatus {
        Self::kill(i64::from(self.process.id()), Signal::SIGTERM);
        self.process.wait().expect("it ends")
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

/// Also when an assertion failed: no process is left behind. The folder stays then, for its logs.
impl Drop for Own {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            self.stop();
        }
        if std::thread::panicking() {
            eprintln!("its logs are in {}", self.dir.display());
        } else {
            drop(std::fs::remove_dir_all(&self.dir));
        }
    }
}
