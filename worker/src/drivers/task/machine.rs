use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, TryStreamExt};
use reqwest::{Body, Method, RequestBuilder, Response, StatusCode};
use tokio::io::BufReader;
use tokio_util::io::{ReaderStream, StreamReader};

use super::wire::Frame;
use crate::drivers::machine::{Bytes, Exec, Fault, Machine, Sink};

/// Until an answer begins.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How much of a refusal is in a fault.
const WHY_BYTES: usize = 300;

/// A task that serves.
pub(super) struct Task {
    pub(super) arn: String,
    /// `http://10.0.1.2:8080`
    pub(super) url: String,
    pub(super) token: String,
    pub(super) http: reqwest::Client,
}

impl Task {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token)
    }

    pub(super) async fn is_healthy(&self) -> bool {
        let health = self.http.get(format!("{}/health", self.url)).timeout(Duration::from_secs(2)).send().await;
        health.is_ok_and(|response| response.status().is_success())
    }

    async fn run(&self, exec: &Exec, sink: &mut Sink<'_>) -> Result<Option<i32>, Fault> {
        let response = answer(self.request(Method::POST, "/run").json(exec), Some(TIMEOUT)).await?;
        let mut frames = BufReader::new(reader(response));
        loop {
            // What is there already is read without waiting: others have their turn between two of them.
            tokio::task::yield_now().await;
            match Frame::read(&mut frames).await.map_err(Fault::Gone)? {
                Frame::Stdout(bytes) => sink(true, &bytes),
                Frame::Stderr(bytes) => sink(false, &bytes),
                Frame::Ended(exit_code) => return Ok(exit_code),
                Frame::Failed(why) => return Err(Fault::Refused(why)),
                Frame::Stopped => return Err(Fault::Gone("it was stopped by ECS before the program ended".to_owned())),
            }
        }
    }

    async fn upload(&self, path: &str, bytes: Bytes) -> Result<(), Fault> {
        let body = Body::wrap_stream(ReaderStream::new(bytes));
        // Its answer comes when all was taken.
        answer(self.request(Method::PUT, "/file").query(&[("path", path)]).body(body), None).await.map(drop)
    }

    async fn download(&self, path: &str) -> Result<Bytes, Fault> {
        let response = answer(self.request(Method::GET, "/file").query(&[("path", path)]), Some(TIMEOUT)).await?;
        Ok(Box::new(reader(response)))
    }
}

impl Machine for Task {
    fn id(&self) -> &str {
        &self.arn
    }

    fn run<'a>(&'a self, exec: &'a Exec, sink: &'a mut Sink<'_>) -> BoxFuture<'a, Result<Option<i32>, Fault>> {
        self.run(exec, sink).boxed()
    }

    fn upload<'a>(&'a self, path: &'a str, bytes: Bytes) -> BoxFuture<'a, Result<(), Fault>> {
        self.upload(path, bytes).boxed()
    }

    fn download<'a>(&'a self, path: &'a str) -> BoxFuture<'a, Result<Bytes, Fault>> {
        self.download(path).boxed()
    }
}

async fn answer(request: RequestBuilder, limit: Option<Duration>) -> Result<Response, Fault> {
    let sent = match limit {
        Some(limit) => {
            tokio::time::timeout(limit, request.send()).await.map_err(|_| Fault::Gone("no response from the task".to_owned()))?
        }
        None => request.send().await,
    };
    let mut response = sent.map_err(|error| Fault::Gone(format!("the task cannot be reached: {}", error.without_url())))?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let why = response.chunk().await.ok().flatten().unwrap_or_default();
    let why = String::from_utf8_lossy(&why[..why.len().min(WHY_BYTES)]).into_owned();
    let why = format!("the task answered {}: {why}", status.as_u16());
    // A file that the step removed; whatever else is wrong with it, another one may do.
    Err(if status == StatusCode::NOT_FOUND { Fault::Refused(why) } else { Fault::Gone(why) })
}

fn reader(response: Response) -> StreamReader<impl futures::Stream<Item = std::io::Result<bytes::Bytes>> + Send + Unpin, bytes::Bytes> {
    StreamReader::new(Box::pin(response.bytes_stream().map_err(std::io::Error::other)))
}
