//! One worker process, restarted whenever it dies, with its log and its settings. What a worker does is in `nofx-worker`.
#![expect(clippy::disallowed_methods, reason = "starts worker processes of this same program")]

use std::os::unix::fs::OpenOptionsExt;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::sync::watch;

use super::running::Running;
use crate::exit::Error;
use crate::serve::stopped;

pub(super) struct Worker {
    pub pid: watch::Receiver<i32>,
    pub admin_port: u16,
    pub handle: tokio::task::JoinHandle<()>,
}

impl Worker {
    pub(super) fn start(dev: &Running, n: usize, stopping: watch::Receiver<bool>) -> Result<Self, Error> {
        let admin_port = nofx_local::free_port().map_err(Error::new)?;
        let start = command(dev, n, admin_port)?;
        let child = start().map_err(Error::new)?;
        let (new_pid, pid) = watch::channel(id(&child));
        let handle = tokio::spawn(restart_until_stopped(n, child, start, new_pid, stopping));
        Ok(Self { pid, admin_port, handle })
    }
}

/// What starts the process, each time with the same settings.
fn command(dev: &Running, n: usize, admin_port: u16) -> Result<impl Fn() -> std::io::Result<Child> + use<>, Error> {
    let program = std::env::current_exe().map_err(Error::new)?;
    let supabase = dev.supabase();
    let log = dev.data_dir.join(format!("worker-{n}.log"));
    let log = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&log).map_err(Error::new)?;
    let workspaces = dev.data_dir.join("workspaces");
    let queue = dev.queue.env();
    let repository_paths = repository_paths();
    let (function_url, function_key) = (format!("http://127.0.0.1:{}", dev.port), dev.stack.function_key().to_owned());
    let (artifact_key, encryption_keys) = (dev.stack.artifact_key().to_owned(), dev.stack.encryption_keys().to_owned());
    Ok(move || {
        Command::new(&program)
            .arg("worker")
            .env("SUPABASE_URL", &supabase.url)
            .env("NOFX_REST_URL", &supabase.rest_url)
            .env("SUPABASE_ANON_KEY", &supabase.anon_key)
            .env("SUPABASE_SERVICE_ROLE_KEY", &supabase.service_role_key)
            // Whoever has it can be anybody: a worker does not get it, also not from the environment of this process.
            .env_remove("SUPABASE_JWT_SECRET")
            .env("NOFX_DB_URL", supabase.db_url.clone().unwrap_or_default())
            .envs(queue.iter().map(|(name, value)| (name, value)))
            .env("NOFX_FUNCTION_URL", &function_url)
            .env("NOFX_FUNCTION_KEY", &function_key)
            .env("NOFX_SIGNING_KEY", &artifact_key)
            .env("NOFX_ENCRYPTION_KEYS", &encryption_keys)
            .env("NOFX_WORKSPACES", &workspaces)
            .env("NOFX_REPOSITORY_PATHS", &repository_paths)
            .env("NOFX_WORKER_NAME", format!("dev-{n}"))
            .env("NOFX_ADMIN_PORT", admin_port.to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log.try_clone()?)
            .process_group(0)
            .spawn()
    })
}

/// Where plans may name repositories by path: on a developer's machine, where a developer has them.
fn repository_paths() -> std::ffi::OsString {
    if let Some(paths) = std::env::var_os("NOFX_REPOSITORY_PATHS") {
        return paths;
    }
    let own = [std::env::current_dir().ok(), std::env::home_dir(), Some(std::env::temp_dir())];
    let folders = own.into_iter().flatten().filter(|folder| folder.is_absolute() && folder.parent().is_some());
    std::env::join_paths(folders).unwrap_or_default()
}

async fn restart_until_stopped(
    n: usize,
    mut child: Child,
    start: impl Fn() -> std::io::Result<Child>,
    new_pid: watch::Sender<i32>,
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        tokio::select! {
            () = stopped(&mut stopping) => {
                end(id(&child));
                if tokio::time::timeout(Duration::from_secs(25), child.wait()).await.is_err() {
                    drop(child.kill().await);
                }
                return;
            }
            status = child.wait() => {
                tracing::warn!(?status, worker = n, "a worker died; restarting it");
                new_pid.send_replace(0);
                tokio::time::sleep(Duration::from_millis(200)).await;
                match start() {
                    Ok(again) => child = again,
                    Err(error) => return tracing::error!(%error, "could not start a worker"),
                }
                new_pid.send_replace(id(&child));
            }
        }
    }
}

/// Stops a worker, if the process still is ours.
pub(super) fn end(pid: i32) {
    let ours = std::fs::read_link("/proc/self/exe").ok();
    if pid > 0 && ours.is_some() && std::fs::read_link(format!("/proc/{pid}/exe")).ok() == ours {
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
    }
}

fn id(child: &Child) -> i32 {
    child.id().and_then(|id| i32::try_from(id).ok()).unwrap_or(0)
}
