//! The program in a task of a step: it runs what its worker asks for, and ends with its lifetime, or when ECS stops the task. It protects the
//! step from others, by its token, and nothing from the step: whatever is in the task is the step's own.
#![expect(clippy::disallowed_methods, reason = "it starts the programs of the task's step, which has nothing else")]

use std::convert::Infallible;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use nofx_shared::settings::TaskServer;
use serde::Deserialize;
use subtle::ConstantTimeEq;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::io::{ReaderStream, StreamReader};
use tokio_util::sync::CancellationToken;

use super::wire::Frame;
use crate::drivers::machine::Exec;

/// Output is read in pieces of this size.
const PIECE_BYTES: usize = 64 << 10;
/// Pieces that wait for a slow worker; then the program waits.
const WAITING: usize = 8;
/// For telling the worker that the task ends. ECS kills it 30 s after SIGTERM.
const GOODBYE: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct File {
    path: String,
}

/// Serves until the lifetime ends, or it is stopped: then what runs is killed, and whoever waits for it is told.
pub(crate) async fn serve(settings: TaskServer, stop: CancellationToken) -> std::io::Result<()> {
    let listener = TcpListener::bind(settings.address).await?;
    let token: Arc<str> = settings.token.into();
    let router = Router::new()
        .route("/run", post(run))
        .with_state(stop.clone())
        .route("/file", get(read).put(write))
        .layer(middleware::from_fn_with_state(token, check))
        .route("/health", get(|| async {}))
        .layer(DefaultBodyLimit::disable());
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned()).into_future();
    let late = async {
        stop.cancelled().await;
        tokio::time::sleep(GOODBYE).await;
    };
    tokio::select! {
        served = served => served,
        () = tokio::time::sleep(settings.lifetime) => Ok(()),
        () = late => Ok(()),
    }
}

async fn check(State(token): State<Arc<str>>, headers: HeaderMap, request: Request, next: Next) -> Response {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if given.is_some_and(|given| given.as_bytes().ct_eq(token.as_bytes()).into()) {
        next.run(request).await
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

async fn run(State(stop): State<CancellationToken>, axum::Json(exec): axum::Json<Exec>) -> Response {
    let (frames, sent) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let last = tokio::select! {
            biased;
            // The program is killed when its future is dropped; what it started ends with the task.
            () = stop.cancelled() => Frame::Stopped,
            ended = run_to_end(exec, &frames) => ended.unwrap_or_else(Frame::Failed),
        };
        // The worker may be gone.
        drop(frames.send(last).await);
    });
    let body = futures::stream::unfold(sent, |mut sent| async { Some((sent.recv().await?, sent)) });
    Body::from_stream(body.map(|frame| Ok::<_, Infallible>(Bytes::from(frame.to_bytes())))).into_response()
}

async fn run_to_end(exec: Exec, frames: &mpsc::Sender<Frame>) -> Result<Frame, String> {
    let [program, arguments @ ..] = exec.argv.as_slice() else { return Err("no program to run".to_owned()) };
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", nofx_shared::settings::path())
        .env("HOME", "/tmp")
        .envs(&exec.env)
        .current_dir("/tmp")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("could not start `{program}`: {error}"))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let ((), (), status) = tokio::join!(forward(stdout, frames, Frame::Stdout), forward(stderr, frames, Frame::Stderr), child.wait());
    status.map(|status| Frame::Ended(status.code())).map_err(|error| format!("could not wait for `{program}`: {error}"))
}

/// Output as it arrives, until it ends or nobody reads it.
async fn forward(from: Option<impl AsyncRead + Unpin>, frames: &mpsc::Sender<Frame>, frame: impl Fn(Vec<u8>) -> Frame) {
    let Some(mut from) = from else { return };
    let mut piece = vec![0; PIECE_BYTES];
    while let Ok(count @ 1..) = from.read(&mut piece).await {
        if frames.send(frame(piece[..count].to_vec())).await.is_err() {
            return;
        }
    }
}

async fn read(Query(File { path }): Query<File>) -> Result<Body, (StatusCode, String)> {
    let file = tokio::fs::File::open(&path).await.map_err(|error| (StatusCode::NOT_FOUND, format!("{path}: {error}")))?;
    Ok(Body::from_stream(ReaderStream::new(file)))
}

async fn write(Query(File { path }): Query<File>, body: Body) -> Result<(), (StatusCode, String)> {
    let written = async {
        if let Some(folder) = std::path::Path::new(&path).parent() {
            tokio::fs::create_dir_all(folder).await?;
        }
        let mut file = tokio::fs::File::create(&path).await?;
        let mut body = StreamReader::new(body.into_data_stream().map_err(std::io::Error::other));
        tokio::io::copy(&mut body, &mut file).await?;
        tokio::io::AsyncWriteExt::flush(&mut file).await
    };
    written.await.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, format!("{path}: {error}")))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::path::Path;
    use std::time::{Duration, Instant};

    use nofx_shared::settings::TaskServer;
    use serde_json::json;
    use tokio_util::sync::CancellationToken;

    use super::serve;
    use crate::drivers::task::wire::Frame;

    async fn is_there(path: &Path) {
        while !path.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn a_task_that_is_stopped_kills_its_program_says_so_and_ends() {
        let dir = tempfile::tempdir().expect("a folder");
        let begun = dir.path().join("begun");
        let port = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr()).expect("a port");
        let settings = TaskServer { address: port, token: "t".to_owned(), lifetime: Duration::from_secs(600) };
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(settings, stop.clone()));
        let url = format!("http://{port}/run");
        // It ignores what it can.
        let script = format!("trap '' TERM; echo $$ > {0}.new; mv {0}.new {0}; exec sleep 600", begun.display());
        let exec = json!({"argv": ["/bin/bash", "-c", script], "env": {}});
        let ask = || nofx_shared::net::direct_client().post(&url).bearer_auth("t").json(&exec).send();
        let mut answer = ask().await;
        while answer.is_err() {
            answer = ask().await;
        }
        is_there(&begun).await;
        let pid = std::fs::read_to_string(&begun).expect("text").trim().to_owned();
        let stopped = Instant::now();
        stop.cancel();
        let said = answer.expect("an answer").bytes().await.expect("the whole answer");
        assert_eq!(Frame::read(&mut said.as_ref()).await, Ok(Frame::Stopped));
        serving.await.expect("no panic").expect("it served");
        assert!(stopped.elapsed() < super::GOODBYE, "it waits for nobody who has heard it");
        while Path::new("/proc").join(&pid).join("exe").exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn a_worker_that_does_not_read_keeps_no_task_that_is_stopped() {
        let port = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr()).expect("a port");
        let settings = TaskServer { address: port, token: "t".to_owned(), lifetime: Duration::from_secs(600) };
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(settings, stop.clone()));
        let ask = || {
            nofx_shared::net::direct_client()
                .post(format!("http://{port}/run"))
                .bearer_auth("t")
                .json(&json!({"argv": ["yes"], "env": {}}))
                .send()
        };
        let mut answer = ask().await;
        while answer.is_err() {
            answer = ask().await;
        }
        stop.cancel();
        serving.await.expect("no panic").expect("it ended");
        drop(answer);
    }
}
