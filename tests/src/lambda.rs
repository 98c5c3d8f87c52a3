//! A Lambda service on this machine: a function URL in front, the runtime API (2018-06-01) behind, and a process of the function
//! for each request that is under way, started when none is idle and kept warm.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine;
use futures::{Stream, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};

type Chunks = mpsc::Receiver<Bytes>;

/// The response of an invocation: its head, then its body as it comes.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Chunks,
}

pub struct Lambda {
    pub url: String,
    service: Arc<Service>,
}

struct Service {
    program: PathBuf,
    settings: Vec<(String, String)>,
    runtime_api: std::sync::OnceLock<String>,
    events: (async_queue::Sender, async_queue::Receiver),
    idle: AtomicUsize,
    next: AtomicU64,
    waiting: Mutex<HashMap<String, oneshot::Sender<Answer>>>,
    processes: Mutex<Vec<Child>>,
}

/// Events for the next process that asks.
mod async_queue {
    use serde_json::Value;
    use tokio::sync::{Mutex, mpsc};

    pub(super) type Sender = mpsc::UnboundedSender<(String, Value)>;
    pub(super) type Receiver = Mutex<mpsc::UnboundedReceiver<(String, Value)>>;
}

impl Lambda {
    pub async fn start(program: PathBuf, settings: Vec<(String, String)>) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let service = Arc::new(Service {
            program,
            settings,
            runtime_api: std::sync::OnceLock::new(),
            events: (sender, receiver.into()),
            idle: AtomicUsize::new(0),
            next: AtomicU64::new(1),
            waiting: Mutex::default(),
            processes: Mutex::default(),
        });
        let runtime = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(respond))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(fail))
            .layer(axum::extract::DefaultBodyLimit::disable());
        let address = serve(runtime.with_state(Arc::clone(&service))).await;
        service.runtime_api.set(address).expect("set once");
        let front = Router::new().fallback(invoke).with_state(Arc::clone(&service));
        Self { url: format!("http://{}", serve(front).await), service }
    }

    /// How many processes were started so far.
    pub fn started(&self) -> usize {
        self.service.processes.lock().expect("not poisoned").len()
    }
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

impl Service {
    fn start_process(&self) {
        let child = Command::new(&self.program)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", self.runtime_api.get().expect("it is served"))
            .env("AWS_LAMBDA_FUNCTION_NAME", "nofx")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("LAMBDA_TASK_ROOT", crate::stack::root())
            .env("RUST_LOG", "warn")
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        self.processes.lock().expect("not poisoned").push(child);
    }
}

/// The front: a request becomes an event (payload format 2.0).
async fn invoke(State(service): State<Arc<Service>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 6 << 20).await.expect("a body of at most 6 MB");
    let id = format!("req-{}", service.next.fetch_add(1, Ordering::Relaxed));
    let mut headers: HashMap<String, String> =
        parts.headers.iter().filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned()))).collect();
    // Format 2.0 has cookies apart from headers, both ways.
    let cookies: Vec<String> = headers.remove("cookie").iter().flat_map(|all| all.split("; ")).map(str::to_owned).collect();
    let path = parts.uri.path();
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": parts.uri.query().unwrap_or_default(), "headers": headers,
        "cookies": cookies,
        "requestContext": {
            "accountId": "anonymous", "apiId": "local", "domainName": "local.lambda-url.us-east-1.on.aws", "domainPrefix": "local",
            "http": {"method": parts.method.as_str(), "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test"},
            "requestId": id, "routeKey": "$default", "stage": "$default", "time": "21/Nov/2026:00:00:00 +0000", "timeEpoch": 1_795_219_200_000_u64,
        },
        "body": base64::engine::general_purpose::STANDARD.encode(&body), "isBase64Encoded": true,
    });
    let (answer, answered) = oneshot::channel();
    service.waiting.lock().expect("not poisoned").insert(id.clone(), answer);
    // Taken at once, so that two requests do not count on one idle process.
    let taken = service.idle.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |idle| idle.checked_sub(1));
    if taken.is_err() {
        service.start_process();
    }
    service.events.0.send((id, event)).expect("the service lives");
    match answered.await {
        Ok(answer) => {
            let body = tokio_stream::wrappers::ReceiverStream::new(answer.body).map(Ok::<_, std::io::Error>);
            (answer.status, answer.headers, Body::from_stream(body)).into_response()
        }
        Err(_) => (StatusCode::BAD_GATEWAY, "Internal Server Error").into_response(),
    }
}

/// A process asks for work. Its first question is answered by the event that it was started for.
async fn next(State(service): State<Arc<Service>>, headers: HeaderMap) -> Response {
    let _ = headers;
    let Some((id, event)) = service.events.1.lock().await.recv().await else { return StatusCode::GONE.into_response() };
    let mut response = event.to_string().into_response();
    let out = response.headers_mut();
    let mut set = |name: &'static str, value: &str| out.insert(name, HeaderValue::from_str(value).expect("plain"));
    set("lambda-runtime-aws-request-id", &id);
    set("lambda-runtime-deadline-ms", "4000000000000");
    set("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:nofx");
    set("lambda-runtime-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0");
    response
}

/// A process answers, in streaming mode: a JSON prelude, eight zero bytes, then the body.
async fn respond(State(service): State<Arc<Service>>, Path(id): Path<String>, headers: HeaderMap, body: Body) -> StatusCode {
    assert_eq!(headers.get("lambda-runtime-function-response-mode").and_then(|value| value.to_str().ok()), Some("streaming"));
    let mut stream = body.into_data_stream();
    let waiting = service.waiting.lock().expect("not poisoned").remove(&id).expect("a client waits");
    let (prelude, rest) = prelude(&mut stream).await;
    let mut headers = HeaderMap::new();
    for (name, value) in prelude["headers"].as_object().into_iter().flatten() {
        let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        for value in values {
            let name: HeaderName = name.parse().expect("a name");
            headers.append(name, HeaderValue::from_str(value.as_str().expect("text")).expect("a value"));
        }
    }
    for cookie in prelude["cookies"].as_array().into_iter().flatten() {
        headers.append("set-cookie", HeaderValue::from_str(cookie.as_str().expect("text")).expect("a value"));
    }
    let status =
        prelude["statusCode"].as_u64().and_then(|status| StatusCode::from_u16(u16::try_from(status).ok()?).ok()).expect("a status");
    let (sender, chunks) = mpsc::channel(16);
    // The client disconnected.
    drop(waiting.send(Answer { status, headers, body: chunks }));
    let mut first = Some(rest).filter(|rest| !rest.is_empty());
    loop {
        let chunk = match first.take() {
            Some(rest) => rest,
            None => match stream.next().await {
                Some(Ok(chunk)) => chunk,
                _ => break,
            },
        };
        if sender.send(chunk).await.is_err() {
            break;
        }
    }
    service.idle.fetch_add(1, Ordering::SeqCst);
    StatusCode::ACCEPTED
}

async fn fail(State(service): State<Arc<Service>>, Path(id): Path<String>, body: String) -> StatusCode {
    eprintln!("invocation {id} failed: {body}");
    service.waiting.lock().expect("not poisoned").remove(&id);
    service.idle.fetch_add(1, Ordering::SeqCst);
    StatusCode::ACCEPTED
}

/// Reads up to the eight zero bytes: the head, and the part of the body that came with it.
async fn prelude(stream: &mut (impl Stream<Item = Result<Bytes, axum::Error>> + Unpin)) -> (Value, Bytes) {
    let mut read = vec![];
    loop {
        let chunk = stream.next().await.expect("a prelude").expect("it is not cut off");
        read.extend_from_slice(&chunk);
        if let Some(at) = read.windows(8).position(|window| window == [0; 8]) {
            return (serde_json::from_slice(&read[..at]).expect("JSON"), Bytes::copy_from_slice(&read[at + 8..]));
        }
    }
}
