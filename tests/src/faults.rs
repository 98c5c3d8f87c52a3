//! A connection to a dependency that can be cut.

use crate::WAIT_LIMIT;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A TCP proxy. While it is cut, connections are closed as soon as they are opened, and those that were open are closed. While it is silent,
/// they stay open and nothing passes; those of that time are closed at its end.
pub struct Way {
    pub url: String,
    state: watch::Sender<State>,
    /// How many came while it was cut.
    in_vain: watch::Sender<usize>,
    losses: Arc<Mutex<VecDeque<u64>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Cut,
    Silent,
}

impl Way {
    /// A proxy for a loopback URL.
    pub async fn to(url: &str) -> Self {
        let target = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let way = Self { url, state: watch::channel(State::Open).0, in_vain: watch::channel(0).0, losses: Arc::default() };
        let (state, in_vain, losses) = (way.state.subscribe(), way.in_vain.clone(), way.losses.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *state.borrow() == State::Cut {
                    in_vain.send_modify(|count| *count += 1);
                } else {
                    let most = losses.lock().expect("not poisoned").pop_front().unwrap_or(u64::MAX);
                    tokio::spawn(pass(client, target.clone(), state.clone(), most));
                }
            }
        });
        way
    }

    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    pub fn silence(&self) {
        self.state.send_replace(State::Silent);
    }

    pub fn mend(&self) {
        self.state.send_replace(State::Open);
    }

    /// Closes the next connections, one after the other, as soon as so many bytes of each have gone to the server.
    pub fn lose_after(&self, bytes: &[u64]) {
        self.losses.lock().expect("not poisoned").extend(bytes);
    }

    /// Waits until so many more have come while it is cut.
    pub async fn is_missed(&self, times: usize) {
        let mut in_vain = self.in_vain.subscribe();
        let enough = *in_vain.borrow() + times;
        let missed = tokio::time::timeout(WAIT_LIMIT, in_vain.wait_for(|count| *count >= enough)).await;
        missed.expect("connections while it is cut").expect("it is there");
    }
}

async fn pass(mut client: TcpStream, target: String, mut state: watch::Receiver<State>, most: u64) {
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    drop((client.set_nodelay(true), server.set_nodelay(true)));
    let ((from_client, mut to_client), (mut from_server, mut to_server)) = (client.split(), server.split());
    let mut from_client = from_client.take(most);
    tokio::select! {
        // However it ends, both sides are closed.
        _ = copy(&mut from_client, &mut to_server) => {}
        _ = copy(&mut from_server, &mut to_client) => {}
        _ = state.wait_for(|state| *state != State::Open) => {}
    }
    drop(state.wait_for(|state| *state != State::Silent).await);
}
