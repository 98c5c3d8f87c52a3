//! Child processes of the stack: started, restarted when they die, and stopped without leaving any behind.
#![expect(clippy::disallowed_methods, reason = "starts the parts of the stack")]

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Command;
use tokio::sync::watch;

use crate::error::{At, Error};

/// How to start a child.
#[derive(Clone)]
pub(crate) struct Recipe {
    pub name: &'static str,
    pub program: PathBuf,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    /// Standard output and error go there.
    pub log: PathBuf,
    /// User and group to run as; ours when none.
    pub user: Option<(u32, u32)>,
    /// The signal for an orderly stop.
    pub stop_with: Signal,
}

/// A child that is restarted whenever it dies before it is stopped.
pub(crate) struct Supervised {
    pid: Arc<AtomicI32>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Recipe {
    pub(crate) fn command(&self) -> Result<Command, Error> {
        let log = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&self.log).at("could not write", &self.log)?;
        let errors = log.try_clone().at("could not write", &self.log)?;
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .env_clear()
            .envs(self.env.iter().map(|(key, value)| (key, value)))
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            // Its own group, so that Ctrl-C in a terminal reaches only us and we stop it in order.
            .process_group(0);
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        Ok(command)
    }

    /// Starts the child and keeps it running.
    pub(crate) fn supervise(self) -> Result<Supervised, Error> {
        let mut child = self.command()?.spawn().at("could not start", &self.program)?;
        let pid = Arc::new(AtomicI32::new(pid_of(&child)));
        let (stop, mut stopping) = watch::channel(false);
        let shared = Arc::clone(&pid);
        let task = tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = stopped(&mut stopping) => {
                        end(&mut child, self.stop_with).await;
                        return;
                    }
                    status = child.wait() => {
                        tracing::warn!(process = self.name, ?status, "exited; restarting it");
                        shared.store(0, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(200)).await;
                        if *stopping.borrow() {
                            return;
                        }
                        match self.command().map(|mut command| command.spawn()) {
                            Ok(Ok(again)) => {
                                shared.store(pid_of(&again), Ordering::Relaxed);
                                child = again;
                            }
                            failed => {
                                tracing::error!(process = self.name, ?failed, "could not restart a process");
                                return;
                            }
                        }
                    }
                }
            }
        });
        Ok(Supervised { pid, stop, task })
    }
}

impl Supervised {
    /// The process id of the moment, 0 while it is being restarted.
    pub(crate) fn pid(&self) -> i32 {
        self.pid.load(Ordering::Relaxed)
    }

    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "a child's watcher failed");
        }
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is dropped: stop all the same.
    drop(stopping.wait_for(|stop| *stop).await);
}

fn pid_of(child: &tokio::process::Child) -> i32 {
    child.id().and_then(|id| i32::try_from(id).ok()).unwrap_or(0)
}

async fn end(child: &mut tokio::process::Child, signal: Signal) {
    let pid = pid_of(child);
    if pid > 0 && kill(Pid::from_raw(pid), signal).is_ok() && tokio::time::timeout(Duration::from_secs(10), child.wait()).await.is_ok() {
        return;
    }
    if let Err(error) = child.kill().await {
        tracing::error!(pid, %error, "could not kill a child");
    }
}

/// Ends a process that an earlier stack left behind, if `pid` still is the program we think it is.
pub(crate) async fn end_leftover(pid: i32, program: &Path, signal: Signal) {
    let is_ours = || std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe.file_name() == program.file_name());
    if pid <= 0 || !is_ours() {
        return;
    }
    tracing::info!(pid, program = %program.display(), "stopping a process that was left behind");
    for signal in [signal, Signal::SIGKILL] {
        if kill(Pid::from_raw(pid), signal).is_err() {
            return;
        }
        for _ in 0..100 {
            if !is_ours() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
