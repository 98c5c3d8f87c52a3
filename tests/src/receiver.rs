//! A receiver of webhooks: stores requests and responds as the test says.

use crate::WAIT_LIMIT;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header::LOCATION};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;

#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    state: Arc<Mutex<FakeState>>,
}

#[derive(Default)]
struct FakeState {
    received: Vec<ReceivedRequest>,
    answers: VecDeque<Answer>,
    otherwise: Option<Answer>,
}

#[derive(Clone)]
struct Answer {
    status: u16,
    body: String,
    after: Duration,
    location: Option<String>,
}

/// A request.
#[derive(Clone)]
pub struct ReceivedRequest {
    pub headers: HeaderMap,
    pub bytes: Bytes,
}

impl ReceivedRequest {
    pub fn body(&self) -> Value {
        serde_json::from_slice(&self.bytes).expect("a JSON body")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Receiver {
    pub async fn start() -> Self {
        Self::at(0).await
    }

    /// At a port that steps may connect to.
    pub async fn at(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a port");
        let receiver = Self { url: format!("http://{}/hook", listener.local_addr().expect("an address")), state: Arc::default() };
        let router = Router::new().fallback(receive).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    /// The next response, once.
    pub fn answer(&self, status: u16, body: &str) {
        let answer = Answer { status, body: body.to_owned(), after: Duration::ZERO, location: None };
        self.state.lock().expect("not poisoned").answers.push_back(answer);
    }

    /// All other responses.
    pub fn always(&self, status: u16, body: &str, after: Duration) {
        self.state.lock().expect("not poisoned").otherwise = Some(Answer { status, body: body.to_owned(), after, location: None });
    }

    /// Redirects every request.
    pub fn sends_on_to(&self, url: &str) {
        let answer = Answer { status: 302, body: String::new(), after: Duration::ZERO, location: Some(url.to_owned()) };
        self.state.lock().expect("not poisoned").otherwise = Some(answer);
    }

    pub fn received(&self) -> Vec<ReceivedRequest> {
        self.state.lock().expect("not poisoned").received.clone()
    }

    /// Waits until so many requests have come.
    pub async fn wait(&self, n: usize) -> Vec<ReceivedRequest> {
        let begin = Instant::now();
        loop {
            let received = self.received();
            if received.len() >= n {
                return received;
            }
            assert!(begin.elapsed() < WAIT_LIMIT, "{} of {n} were received in time", received.len());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, bytes: Bytes) -> Response {
    let answer = {
        let mut kept = receiver.state.lock().expect("not poisoned");
        kept.received.push(ReceivedRequest { headers, bytes });
        let named = kept.answers.pop_front();
        named.or_else(|| kept.otherwise.clone())
    };
    let answer = answer.unwrap_or(Answer { status: 200, body: String::new(), after: Duration::ZERO, location: None });
    tokio::time::sleep(answer.after).await;
    let mut response = (StatusCode::from_u16(answer.status).expect("a status"), answer.body).into_response();
    if let Some(location) = answer.location {
        response.headers_mut().insert(LOCATION, HeaderValue::from_str(&location).expect("a URL"));
    }
    response
}
