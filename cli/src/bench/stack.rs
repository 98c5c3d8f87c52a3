//! A stack of its own for a bench: embedded Supabase, the API in this process, one worker process.
#![expect(clippy::disallowed_methods, reason = "starts a stack with this same program")]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::exit::Error;
use crate::target::{self, DevFile};

pub(super) struct BenchStack {
    dir: PathBuf,
    process: tokio::process::Child,
    pub dev: DevFile,
}

impl BenchStack {
    pub(super) async fn start() -> Result<Self, Error> {
        Self::start_with(&[]).await
    }

    /// With settings for its worker.
    pub(super) async fn start_with(settings: &[(&str, &str)]) -> Result<Self, Error> {
        // Others may pass, but see no names: as root, Postgres runs as another user.
        let mode = if nix::unistd::geteuid().is_root() { 0o711 } else { 0o700 };
        let dir = tempfile::Builder::new().prefix("nofx-bench-").permissions(Permissions::from_mode(mode)).tempdir().map_err(Error::new)?;
        let dir = dir.keep();
        let port = nofx_local::free_port().map_err(Error::new)?;
        let program = std::env::current_exe().map_err(Error::new)?;
        let mut process = tokio::process::Command::new(program)
            .args(["dev", "--fresh", "--port", &port.to_string(), "--data-dir"])
            .arg(&dir)
            .env("RUST_LOG", "warn")
            .envs(settings.iter().copied())
            .spawn()
            .map_err(Error::new)?;
        let begin = Instant::now();
        loop {
            if let Ok(dev) = target::read(&dir.join("dev.json")) {
                return Ok(Self { dir, process, dev });
            }
            if let Some(status) = process.try_wait().map_err(Error::new)? {
                return Err(Error::new(format!("the benchmark's stack exited at startup ({status}); see its output above")));
            }
            if begin.elapsed() > Duration::from_secs(60) {
                return Err(Error::new(format!("the benchmark's stack did not start; see {}", dir.display())));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(super) async fn stop(mut self) -> Result<(), Error> {
        if let Some(pid) = self.process.id().and_then(|id| i32::try_from(id).ok()) {
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM).map_err(Error::new)?;
        }
        self.process.wait().await.map_err(Error::new)?;
        std::fs::remove_dir_all(&self.dir).map_err(Error::new)
    }

    /// What its worker measured.
    pub(super) async fn metrics(&self) -> Result<String, Error> {
        nofx_shared::net::client().get(&self.dev.metrics_url).send().await.map_err(Error::new)?.text().await.map_err(Error::new)
    }
}
