//! One function's process, and its messages over the runtime's socket.

use crate::WAIT_LIMIT;
use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::UnixListener;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;

/// One request of a function.
#[derive(Clone, Debug)]
pub struct Invocation {
    pub path: String,
    pub begun: Instant,
    /// Whether the last byte of its body was sent on, or its client disconnected.
    pub answered: bool,
    /// Once the runtime has ended the invocation: whether its response was on its way by then.
    pub ended: Option<bool>,
}

pub(super) struct Function {
    pub port: u16,
    process: tokio::sync::Mutex<Child>,
    pid: i32,
    next: AtomicU64,
    invocations: Arc<Mutex<HashMap<u64, Invocation>>>,
    _socket: tempfile::TempDir,
}

impl Function {
    pub(super) async fn start(folder: &Path, home: &Path, settings: &[(String, String)]) -> Self {
        let config: Value = serde_json::from_slice(&std::fs::read(folder.join(".vc-config.json")).expect("a function")).expect("JSON");
        assert_eq!((config["runtime"].as_str(), config["supportsResponseStreaming"].as_bool()), (Some("executable"), Some(true)));
        let program = folder.join(config["handler"].as_str().expect("a handler"));
        let socket = tempfile::tempdir().expect("a folder");
        let path = socket.path().join("ipc");
        let listener = UnixListener::bind(&path).expect("a socket");
        let port = nofx_local::free_port().expect("a port");
        let process = Command::new(&program)
            .env_clear()
            .env("VERCEL_IPC_PATH", &path)
            .env("VERCEL_DEV_PORT", port.to_string())
            .env("HOME", home)
            .env("RUST_LOG", "warn")
            // Where scripts/coverage.sh has its lines counted; otherwise it is written to the home.
            .envs(std::env::vars_os().filter(|(name, _)| name == "LLVM_PROFILE_FILE"))
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .current_dir(home)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let pid = process.id().and_then(|id| i32::try_from(id).ok()).expect("it runs");
        let invocations: Arc<Mutex<HashMap<u64, Invocation>>> = Arc::default();
        let (announce, started) = oneshot::channel();
        tokio::spawn(listen(listener, Pid::from_raw(pid), Arc::clone(&invocations), announce));
        let started = tokio::time::timeout(WAIT_LIMIT, started).await;
        assert!(matches!(started, Ok(Ok(announced)) if announced == port), "{}: it did not say that it started", program.display());
        Self { port, process: process.into(), pid, next: AtomicU64::new(1), invocations, _socket: socket }
    }

    /// Begins an invocation; its number.
    pub(super) fn begin(&self, path: &str) -> u64 {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let invocation = Invocation { path: path.to_owned(), begun: Instant::now(), answered: false, ended: None };
        self.invocations.lock().expect("not poisoned").insert(id, invocation);
        id
    }

    pub(super) fn answered(&self, id: u64) {
        if let Some(invocation) = self.invocations.lock().expect("not poisoned").get_mut(&id) {
            invocation.answered = true;
        }
    }

    pub(super) fn invocations(&self) -> Vec<Invocation> {
        self.invocations.lock().expect("not poisoned").values().cloned().collect()
    }

    pub(super) fn terminate(&self) {
        kill(Pid::from_raw(self.pid), Signal::SIGTERM).expect("it runs");
    }

    pub(super) async fn ended_well(&self) -> bool {
        let mut process = self.process.lock().await;
        tokio::time::timeout(WAIT_LIMIT, process.wait()).await.is_ok_and(|status| status.is_ok_and(|status| status.success()))
    }
}

/// Reads the runtime's frames: JSON, each ended by a zero byte.
async fn listen(listener: UnixListener, process: Pid, invocations: Arc<Mutex<HashMap<u64, Invocation>>>, started: oneshot::Sender<u16>) {
    let mut started = Some(started);
    let Ok((stream, _)) = listener.accept().await else { return };
    let mut reader = BufReader::new(stream);
    loop {
        let mut frame = vec![];
        match reader.read_until(0, &mut frame).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        frame.pop();
        let frame: Value = serde_json::from_slice(&frame).expect("the runtime sends JSON");
        let payload = &frame["payload"];
        match frame["type"].as_str() {
            Some("server-started") => {
                let port = payload["httpPort"].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or(0);
                if let Some(started) = started.take() {
                    assert!(started.send(port).is_ok(), "no one waits for the start");
                }
            }
            Some("end") => {
                let id = payload["context"]["requestId"].as_u64().expect("an id");
                let is_answered = || invocations.lock().expect("not poisoned").get(&id).is_none_or(|one| one.answered);
                // From now on the platform may freeze the process: bytes that are not sent yet may never be.
                let _ = kill(process, Signal::SIGSTOP);
                let begun = Instant::now();
                while !is_answered() && begun.elapsed() < WAIT_LIMIT {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                let _ = kill(process, Signal::SIGCONT);
                if let Some(invocation) = invocations.lock().expect("not poisoned").get_mut(&id) {
                    invocation.ended = Some(invocation.answered);
                }
            }
            _ => {}
        }
    }
}
