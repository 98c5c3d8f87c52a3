use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::wire::{Answer, Ended, FileOp, FolderOp, FromSupervisor, Request, Socket, ToSupervisor};

/// No single answer takes this long while the supervisor is alive.
const LONGEST_ANSWER: Duration = Duration::from_secs(120);

type Reply = Result<(Answer, Option<OwnedFd>), String>;
type OnEnd = Box<dyn FnOnce(Result<Ended, String>) + Send>;

pub(crate) struct Client {
    socket: Socket,
    next_id: AtomicU64,
    waiting: Mutex<Waiting>,
    /// All messages on their way, in order. Whoever needs no answer never waits.
    outbox: Sender<Outgoing>,
    longest_answer: Duration,
}

struct Outgoing {
    message: ToSupervisor,
    descriptors: Vec<OwnedFd>,
}

#[derive(Default)]
struct Waiting {
    answers: HashMap<u64, SyncSender<Reply>>,
    ends: HashMap<u64, OnEnd>,
}

impl Client {
    /// Sends in a thread of its own, and reads answers in another until the supervisor ends.
    pub(crate) fn start(socket: Socket) -> std::io::Result<Arc<Self>> {
        let client = Self::start_with(socket, LONGEST_ANSWER)?;
        let reader = Arc::clone(&client);
        thread("supervisor", move || {
            reader.read();
            end();
        })?;
        Ok(client)
    }

    /// Without the thread that reads.
    fn start_with(socket: Socket, longest_answer: Duration) -> std::io::Result<Arc<Self>> {
        let (outbox, sent) = channel();
        let client = Arc::new(Self { socket, next_id: AtomicU64::new(1), waiting: Mutex::default(), outbox, longest_answer });
        let writer = Arc::downgrade(&client);
        thread("to supervisor", move || {
            while let (Ok(Outgoing { message, descriptors }), Some(client)) = (sent.recv(), writer.upgrade()) {
                let descriptors: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
                if let Err(error) = client.socket.send(&message, &descriptors) {
                    client.not_sent(message.id, &error);
                }
            }
        })?;
        Ok(client)
    }

    /// Hands on answers until the supervisor has ended.
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
                // Nobody has waited so long: what was made for it goes.
                (None, None, Ok(Answer::Started { .. })) => self.send(Request::Release { run: id }),
                (None, None, Ok(Answer::Created(folder))) => self.send(Request::Folder(FolderOp::Remove { folder })),
                (None, ..) => {}
            }
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn call(&self, request: Request) -> Reply {
        self.call_with(request, &[], None).1
    }

    pub(crate) fn call_with(&self, request: Request, descriptors: &[BorrowedFd<'_>], on_end: Option<OnEnd>) -> (u64, Reply) {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = sync_channel(1);
        {
            let mut waiting = self.waiting();
            waiting.answers.insert(id, sender);
            on_end.map(|on_end| waiting.ends.insert(id, on_end));
        }
        let descriptors: Result<Vec<_>, _> = descriptors.iter().map(BorrowedFd::try_clone_to_owned).collect();
        let sent = descriptors.map(|descriptors| drop(self.outbox.send(Outgoing { message: ToSupervisor { id, request }, descriptors })));
        let sent = sent.map_err(|error| format!("the request could not be sent to the supervisor: {error}"));
        let reply: Reply = sent
            .and_then(|()| answer.recv_timeout(self.longest_answer).map_err(|_| "no response from the supervisor".to_owned()).flatten());
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

    /// Sends what needs no answer, later: never waits.
    pub(crate) fn send(&self, request: Request) {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        drop(self.outbox.send(Outgoing { message: ToSupervisor { id, request }, descriptors: vec![] }));
    }

    /// Whoever waits for the answer must hear it. That the supervisor is gone, who reads finds out.
    fn not_sent(&self, id: u64, error: &std::io::Error) {
        let waiting = self.waiting().answers.remove(&id);
        drop(waiting.map(|waiting| waiting.try_send(Err(format!("the request could not be sent to the supervisor: {error}")))));
    }

    /// Says that the loop which calls this is alive. Never waits.
    pub(crate) fn heartbeat(&self) {
        drop(self.socket.try_send(&ToSupervisor { id: 0, request: Request::Heartbeat }, &[]));
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).stack_size(256 << 10).spawn(work).map(drop)
}

/// Ends this process at once: without its supervisor it could only settle steps as failed that are not. Their leases expire, and they run
/// again.
fn end() -> ! {
    loop {
        let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use uuid::Uuid;

    use super::Client;
    use crate::wire::{Answer, FolderOp, FromSupervisor, Request, Socket, ToSupervisor};

    fn pair(longest: Duration) -> (Arc<Client>, Socket) {
        let (ours, theirs) = Socket::pair().expect("a pair");
        // What never comes is not waited for.
        let minute = Some(Duration::from_secs(60));
        rustix::net::sockopt::set_socket_timeout(&theirs, rustix::net::sockopt::Timeout::Recv, minute).expect("set");
        (Client::start_with(ours, longest).expect("a client"), Socket::of(theirs))
    }

    fn next(supervisor: &Socket) -> ToSupervisor {
        supervisor.receive().expect("received").expect("a message").0
    }

    #[test]
    fn what_is_answered_too_late_is_given_back() {
        let (client, supervisor) = pair(Duration::ZERO);
        let create = || Request::Folder(FolderOp::Create { run: Uuid::now_v7() });
        assert!(client.call(create()).is_err() && client.call(create()).is_err());
        let ids = [next(&supervisor).id, next(&supervisor).id];
        let late = [Answer::Started { scratch: "/w/tmp/1".into() }, Answer::Created("/w/new".into())];
        for (id, answer) in ids.into_iter().zip(late) {
            supervisor.send(&FromSupervisor { id, answer: Ok(answer) }, &[]).expect("sent");
        }
        // What nothing was made for leaves nothing.
        supervisor.send(&FromSupervisor { id: 99, answer: Ok(Answer::Done) }, &[]).expect("sent");
        let reader = Arc::clone(&client);
        let reading = std::thread::spawn(move || reader.read());
        assert!(matches!(next(&supervisor).request, Request::Release { run } if run == ids[0]));
        assert!(matches!(next(&supervisor).request, Request::Folder(FolderOp::Remove { folder }) if folder.ends_with("new")));
        drop(supervisor);
        reading.join().expect("it ends with the supervisor");
    }

    #[test]
    fn whoever_needs_no_answer_does_not_wait_for_a_supervisor_that_is_busy() {
        let (client, supervisor) = pair(Duration::ZERO);
        // Far more than the socket takes.
        for run in 0..20_000 {
            client.send(Request::Stop { run });
        }
        for expected in 0..20_000 {
            assert!(matches!(next(&supervisor).request, Request::Stop { run } if run == expected));
        }
    }

    #[test]
    fn what_needs_no_answer_is_not_overtaken() {
        let (client, supervisor) = pair(Duration::ZERO);
        for run in 0..2_000 {
            client.send(Request::Release { run });
            drop(client.call(Request::Folder(FolderOp::Clean)));
        }
        for expected in 0..2_000 {
            assert!(matches!(next(&supervisor).request, Request::Release { run } if run == expected));
            assert!(matches!(next(&supervisor).request, Request::Folder(FolderOp::Clean)));
        }
    }

    #[test]
    fn a_request_that_is_too_large_is_refused_at_once() {
        let (client, _supervisor) = pair(Duration::from_secs(600));
        let folder = "x".repeat(17 << 20).into();
        let why = client.call(Request::Folder(FolderOp::Remove { folder })).expect_err("too large");
        assert!(why.contains("too large"), "{why}");
    }
}
