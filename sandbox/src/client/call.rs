use std::collections::HashMap;
use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::wire::{Answer, Ended, FileOp, FromSupervisor, Request, Socket, ToSupervisor};

/// No single answer takes this long while the supervisor is alive.
const LONGEST_ANSWER: Duration = Duration::from_secs(120);

type Reply = Result<(Answer, Option<OwnedFd>), String>;
type OnEnd = Box<dyn FnOnce(Result<Ended, String>) + Send>;

pub(crate) struct Client {
    socket: Socket,
    next_id: AtomicU64,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    answers: HashMap<u64, SyncSender<Reply>>,
    ends: HashMap<u64, OnEnd>,
}

impl Client {
    /// Reads answers in a thread of its own until the supervisor ends.
    pub(crate) fn start(socket: Socket) -> std::io::Result<Arc<Self>> {
        let client = Arc::new(Self { socket, next_id: AtomicU64::new(1), waiting: Mutex::default() });
        let reader = Arc::clone(&client);
        std::thread::Builder::new().name("supervisor".to_owned()).stack_size(256 << 10).spawn(move || reader.read())?;
        Ok(client)
    }

    fn read(&self) {
        while let Ok(Some((FromSupervisor { id, answer }, mut descriptors))) = self.socket.receive() {
            let (waiting, on_end) = {
                let mut all = self.waiting();
                let waiting = all.answers.remove(&id);
                // An error is the answer, or else it is the end.
                let on_end = if waiting.is_none() { all.ends.remove(&id) } else { None };
                (waiting, on_end)
            };
            match (waiting, on_end, answer) {
                // Nobody may wait any more: then the descriptor is closed.
                (Some(waiting), _, answer) => drop(waiting.try_send(answer.map(|answer| (answer, descriptors.pop())))),
                (None, Some(on_end), Ok(Answer::Ended(ended))) => on_end(Ok(*ended)),
                (None, Some(on_end), Err(error)) => on_end(Err(error)),
                (None, ..) => {}
            }
        }
        end();
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn call(&self, request: Request) -> Reply {
        self.call_with(request, &[], None).1
    }

    pub(super) fn call_with(&self, request: Request, descriptors: &[BorrowedFd<'_>], on_end: Option<OnEnd>) -> (u64, Reply) {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = sync_channel(1);
        {
            let mut waiting = self.waiting();
            waiting.answers.insert(id, sender);
            on_end.map(|on_end| waiting.ends.insert(id, on_end));
        }
        let sent = self.socket.send(&ToSupervisor { id, request }, descriptors);
        if sent.as_ref().is_err_and(|error| matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset)) {
            end();
        }
        let sent = sent.map_err(|error| format!("the supervisor could not be asked: {error}"));
        let reply: Reply =
            sent.and_then(|()| answer.recv_timeout(LONGEST_ANSWER).map_err(|_| "the supervisor does not answer".to_owned()).flatten());
        if reply.is_err() {
            let mut waiting = self.waiting();
            waiting.answers.remove(&id);
            waiting.ends.remove(&id);
        }
        (id, reply)
    }

    pub(crate) fn file(&self, path: PathBuf, op: FileOp) -> Reply {
        let answer = self.call(Request::File { path, op })?;
        match answer {
            (Answer::File { is_there: true }, None) => Err("could not be opened: no descriptor arrived".to_owned()),
            answer => Ok(answer),
        }
    }

    /// Sends what needs no answer. The supervisor that is gone needs it no more.
    pub(crate) fn send(&self, request: Request) {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        drop(self.socket.send(&ToSupervisor { id, request }, &[]));
    }

    /// Says that the loop which calls this is alive. Never waits.
    pub(crate) fn beat(&self) {
        drop(self.socket.try_send(&ToSupervisor { id: 0, request: Request::Beat }, &[]));
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Ends this process at once: without its supervisor it could only settle steps as failed that are not. Their leases expire, and they run
/// again.
fn end() -> ! {
    loop {
        let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
    }
}
