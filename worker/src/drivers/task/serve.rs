//! The program in a task of a step: it runs what its worker asks for, and ends with its lifetime. It protects the step from others, by its
//! token, and nothing from the step: whatever is in the task is the step's own.
#![expect(clippy::disallowed_methods, reason = "it starts the programs of the task's step, which has nothing else")]

use std::convert::Infallible;
use std::process::Stdio;
use std::sync::Arc;

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

use super::wire::Frame;
use crate::drivers::machine::Exec;

/// Output is read in pieces of this size.
const PIECE_BYTES: usize = 64 << 10;
/// Pieces that wait for a slow worker; then the program waits.
const WAITING: usize = 8;

#[derive(Deserialize)]
struct File {
    path: String,
}

/// Serves until the lifetime ends.
pub async fn serve(settings: TaskServer) -> std::io::Result<()> {
    let listener = TcpListener::bind(settings.address).await?;
    let token: Arc<str> = settings.token.into();
    let router = Router::new()
        .route("/run", post(run))
        .route("/file", get(read).put(write))
        .layer(middleware::from_fn_with_state(token, check))
        .route("/health", get(|| async {}))
        .layer(DefaultBodyLimit::disable());
    tokio::select! {
        served = axum::serve(listener, router).into_future() => served,
        () = tokio::time::sleep(settings.lifetime) => Ok(()),
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

async fn run(axum::Json(exec): axum::Json<Exec>) -> Response {
    let (frames, sent) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let last = run_to_end(exec, &frames).await.unwrap_or_else(Frame::Failed);
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
