//! The processes that speak to Modal (`bridge.py`): one for each account, for as long as somebody uses it. One that ends is replaced with the
//! next use.
#![expect(clippy::disallowed_methods, reason = "it is the driver's own program, none of a step's")]

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use nofx_shared::crypto::sha256;
use nofx_shared::settings;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;

use super::call::Call;
use crate::drivers::machine::Fault;

/// Requests that wait to be written.
const WAITING: usize = 64;
/// Of one request; the bridge reads no longer lines than twice that.
const LINE_BYTES: usize = 2 << 20;
/// How much of the last words of a bridge is in a fault.
const STDERR_BYTES: u64 = 4 << 10;

/// The bridges of a worker.
#[derive(Default)]
pub(crate) struct Bridges(Mutex<BTreeMap<String, Weak<Bridge>>>);

/// Who receives the answers to a request, by the request's id. None: the bridge has ended.
pub(super) type Calls = Arc<Mutex<Option<BTreeMap<u64, mpsc::UnboundedSender<Event>>>>>;

/// One answer to a request. A request whose output is not acknowledged gets no more: the channel is bounded by that.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Event {
    Stdout(String),
    Stderr(String),
    Ack(()),
    Done(Value),
    Error(Refusal),
}

#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    pub kind: String,
    pub message: String,
}

#[derive(Deserialize)]
struct Answer {
    id: u64,
    #[serde(flatten)]
    event: Event,
}

pub(super) struct Bridge {
    requests: mpsc::Sender<String>,
    calls: Calls,
    next: AtomicU64,
    /// What it wrote to standard error before it ended.
    last_words: Arc<Mutex<String>>,
    /// Killed when this is dropped.
    _process: Child,
}

impl Bridges {
    /// The bridge of an account, started if there is none.
    pub(super) fn of_account(&self, settings: &settings::Modal, token_id: &str, token_secret: &str) -> Result<Arc<Bridge>, Fault> {
        let mut bridges = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bridges.retain(|_, bridge| bridge.strong_count() > 0);
        let account = sha256(format!("{token_id}\n{token_secret}").as_bytes());
        if let Some(bridge) = bridges.get(&account).and_then(Weak::upgrade).filter(|bridge| bridge.is_alive()) {
            return Ok(bridge);
        }
        let bridge = Arc::new(Bridge::start(settings, token_id, token_secret)?);
        bridges.insert(account, Arc::downgrade(&bridge));
        Ok(bridge)
    }
}

impl Bridge {
    fn start(settings: &settings::Modal, token_id: &str, token_secret: &str) -> Result<Self, Fault> {
        let refused = |why: String| Fault::Refused(format!("could not start the bridge to Modal with `{}`: {why}", settings.python));
        // What the worker's own environment holds is public; the SDK finds proxies and certificates there. The token comes with the first
        // line: an environment stays readable (`/proc/<id>/environ`), whatever its process does later.
        let mut process = Command::new(&settings.python)
            .args(["-I", "-u", "-c", include_str!("bridge.py")])
            .envs(settings.server_url.as_ref().map(|url| ("MODAL_SERVER_URL", url)))
            .env("MODAL_CONFIG_PATH", "/dev/null")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| refused(error.to_string()))?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (process.stdin.take(), process.stdout.take(), process.stderr.take()) else {
            return Err(refused("the process has no pipes".to_owned()));
        };
        let (requests, waiting) = mpsc::channel(WAITING);
        let token = json!({"token_id": token_id, "token_secret": token_secret}).to_string();
        // It has room.
        requests.try_send(token).map_err(|error| refused(error.to_string()))?;
        let calls = Calls::new(Mutex::new(Some(BTreeMap::new())));
        let last_words = Arc::<Mutex<String>>::default();
        tokio::spawn(write(stdin, waiting));
        tokio::spawn(read(stdout, stderr, Arc::clone(&calls), Arc::clone(&last_words)));
        Ok(Self { requests, calls, next: AtomicU64::default(), last_words, _process: process })
    }

    pub(super) fn is_alive(&self) -> bool {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Begins a request: `op` and what belongs to it.
    pub(super) async fn call(&self, op: &str, mut fields: Value) -> Result<Call, Fault> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (answers, events) = mpsc::unbounded_channel();
        match self.calls.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(calls) => drop(calls.insert(id, answers)),
            None => return Err(self.ended()),
        }
        let call = Call { id, events, requests: self.requests.clone(), calls: Arc::clone(&self.calls) };
        fields["op"] = json!(op);
        let bytes = fields.to_string().len();
        if bytes > LINE_BYTES {
            return Err(Fault::Refused(format!(
                "arguments and environment of the program are {bytes} bytes; at most {LINE_BYTES} are taken"
            )));
        }
        call.send(fields).await.map_err(|()| self.ended())?;
        Ok(call)
    }

    pub(super) fn ended(&self) -> Fault {
        let words = self.last_words.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let last = words.trim().lines().last().unwrap_or("no reason given").to_owned();
        Fault::Unavailable(format!("the bridge to Modal has ended: {last}"))
    }
}

/// Writes requests, whole lines, in order: whoever sends one may be gone by then.
async fn write(mut stdin: ChildStdin, mut waiting: mpsc::Receiver<String>) {
    while let Some(request) = waiting.recv().await {
        if stdin.write_all(format!("{request}\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Passes answers on until the bridge ends; then every call that waits ends, too.
async fn read(stdout: ChildStdout, stderr: ChildStderr, calls: Calls, last_words: Arc<Mutex<String>>) {
    let words = tokio::spawn(async move {
        let mut words = vec![];
        let mut stderr = stderr.take(STDERR_BYTES);
        // What cannot be read is left out.
        drop(stderr.read_to_end(&mut words).await);
        drop(tokio::io::copy(&mut stderr.into_inner(), &mut tokio::io::sink()).await);
        String::from_utf8_lossy(&words).into_owned()
    });
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(Answer { id, event }) = serde_json::from_str(&line) else { break };
        let calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answers) = calls.as_ref().and_then(|calls| calls.get(&id)) {
            // Nobody waits any more.
            drop(answers.send(event));
        }
    }
    // First of all nobody waits any more: one that has not ended, but writes what cannot be read, is not used again.
    *calls.lock().unwrap_or_else(PoisonError::into_inner) = None;
    drop(lines);
    if let Ok(words) = words.await {
        *last_words.lock().unwrap_or_else(PoisonError::into_inner) = words;
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use nofx_shared::settings;
    use serde_json::json;

    use super::{Answer, Bridge, Event};
    use crate::drivers::machine::Fault;

    #[tokio::test]
    async fn the_token_is_in_no_environment_and_no_argument_but_in_the_first_line() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = |name: &str| dir.path().join(name).display().to_string();
        let python = path("python");
        // In place of Python: it shows what it was started with, and what it is sent.
        let script = format!(
            "#!/bin/sh\ntr '\\0' '\\n' < /proc/$$/environ > {0}; printf '%s\\n' \"$@\" >> {0}; head -n 1 > {1}\n",
            path("started"),
            path("sent")
        );
        std::fs::write(&python, script).expect("written");
        std::fs::set_permissions(&python, Permissions::from_mode(0o755)).expect("it may be run");
        let bridge = Bridge::start(&settings::Modal { python, server_url: None }, "ak-hunter", "as-hunter2").expect("it starts");
        // It ends after that line.
        while bridge.is_alive() {
            tokio::task::yield_now().await;
        }
        let read = |name| std::fs::read_to_string(path(name)).expect("text");
        let (started, sent) = (read("started"), read("sent"));
        assert!(started.contains("MODAL_CONFIG_PATH=/dev/null") && started.contains("import modal"), "{started}");
        assert!(!started.contains("hunter"), "{started}");
        assert_eq!(sent, "{\"token_id\":\"ak-hunter\",\"token_secret\":\"as-hunter2\"}\n");
    }

    #[tokio::test]
    async fn a_bridge_that_ends_in_the_middle_of_a_line_ends_every_call_and_is_not_used_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let python = dir.path().join("python").display().to_string();
        // It takes the token and two requests, begins an answer, and ends.
        let script = "#!/bin/sh\nhead -n 3 > /dev/null; printf '{\"id\": 0, \"ack\": null}\\n{\"id\": 1, \"stdo'; echo killed >&2\n";
        std::fs::write(&python, script).expect("written");
        std::fs::set_permissions(&python, Permissions::from_mode(0o755)).expect("it may be run");
        let bridge = Bridge::start(&settings::Modal { python, server_url: None }, "id", "secret").expect("it starts");
        let mut calls = vec![];
        for op in ["run", "list"] {
            calls.push(bridge.call(op, json!({})).await.expect("it is taken"));
        }
        for call in calls {
            assert!(matches!(call.done().await, Err(Fault::Unavailable(why)) if why.contains("has ended")));
        }
        assert!(!bridge.is_alive());
        let again = bridge.call("list", json!({})).await.err();
        assert!(matches!(again, Some(Fault::Unavailable(_))), "{again:?}");
    }

    #[test]
    fn answers_are_read_as_the_bridge_writes_them() {
        let read = |text: &str| serde_json::from_str::<Answer>(text).map(|answer| (answer.id, answer.event));
        assert!(matches!(read(r#"{"id": 1, "ack": null}"#), Ok((1, Event::Ack(())))));
        assert!(matches!(read(r#"{"id": 2, "stdout": "b3V0"}"#), Ok((2, Event::Stdout(text))) if text == "b3V0"));
        assert!(matches!(read(r#"{"id": 3, "done": {"exit_code": 0}}"#), Ok((3, Event::Done(value))) if value == json!({"exit_code": 0})));
        let failed = r#"{"id": 4, "error": {"kind": "gone", "message": "it ended"}}"#;
        assert!(matches!(read(failed), Ok((4, Event::Error(refusal))) if refusal.kind == "gone" && refusal.message == "it ended"));
        for wrong in ["", "{}", r#"{"id": -1, "done": {}}"#, r#"{"id": 1}"#, r#"{"id": 1, "other": 1}"#, "Traceback"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
