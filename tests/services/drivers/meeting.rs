//! A listener of the test that programs of steps reach, wherever they run: to see whether they have a network, and that they all run at once.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

/// Steps that run at once.
pub(super) const STEPS: usize = 32;

pub(super) struct Meeting {
    pub port: u16,
}

/// How many wait.
#[derive(Default)]
struct Waiting {
    count: Mutex<usize>,
    changed: Condvar,
}

impl Meeting {
    /// Listens until this process ends. Whoever says `hello` is answered at once, whoever says `meet` when as many as there are steps have said so.
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let waiting = Arc::<Waiting>::default();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let waiting = Arc::clone(&waiting);
                std::thread::spawn(move || answer(stream, &waiting));
            }
        });
        Self { port }
    }

    /// A script that prints what it is answered; `refused` when there is no way there.
    pub(super) fn says(&self, word: &str) -> String {
        format!(
            "if {{ exec 3<>/dev/tcp/127.0.0.1/{port}; }} 2>/dev/null; then echo {word} >&3; read -r -t 300 answer <&3; echo \"$answer\"; else echo refused; fi",
            port = self.port
        )
    }
}

fn answer(mut stream: TcpStream, waiting: &Waiting) {
    let mut word = String::new();
    let read = BufReader::new(stream.try_clone().expect("the same connection")).read_line(&mut word);
    if read.is_ok() && word == "meet\n" {
        let mut count = waiting.count.lock().expect("never poisoned");
        *count += 1;
        waiting.changed.notify_all();
        // As often as there are steps: the next ones wait for each other.
        let goal = count.div_ceil(STEPS) * STEPS;
        drop(waiting.changed.wait_while(count, |count| *count < goal).expect("never poisoned"));
    }
    // Whoever asked may have ended.
    let _ = stream.write_all(word.as_bytes());
}
