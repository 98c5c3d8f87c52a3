use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use reqwest::{Body, Method, RequestBuilder};
use serde_json::json;
use tokio_util::io::{ReaderStream, StreamReader};
use uuid::Uuid;

use super::answer::{Part, chain, send};
use super::frames::{Event, Frames};
use crate::drivers::machine::{Bytes, Exec, Sink};
use crate::drivers::{Fault, Machine};

/// For the head of an answer.
const LIMIT: Duration = Duration::from_secs(30);
/// How often a sandbox is to say that a program runs on, in seconds.
const KEEPALIVE_S: u32 = 50;
/// A stream that is silent for longer is cut.
const SILENCE: Duration = Duration::from_secs(120);
/// How long the transfer of a file may take.
const FILE_LIMIT: Duration = Duration::from_secs(1800);

/// A sandbox: its `envd`.
pub(super) struct Sandbox {
    http: reqwest::Client,
    id: String,
    url: String,
    token: Option<String>,
}

impl Sandbox {
    /// Of `envd`.
    pub(super) const PORT: u16 = 49983;

    pub(super) fn new(http: reqwest::Client, id: String, url: String, token: Option<String>) -> Self {
        Self { http, id, url, token }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        // Which user programs and files are of.
        let request = request.basic_auth("user", Some(""));
        // For an address that all sandboxes share.
        let request = request.header("E2b-Sandbox-Id", &self.id).header("E2b-Sandbox-Port", Self::PORT);
        self.token.iter().fold(request, |request, token| request.header("X-Access-Token", token))
    }

    async fn run(&self, exec: &Exec, sink: &mut Sink<'_>) -> Result<Option<i32>, Fault> {
        let (program, arguments) = exec.argv.split_first().ok_or_else(|| Fault::Refused("no program to run".to_owned()))?;
        let start = json!({"process": {"cmd": program, "args": arguments, "envs": exec.env, "cwd": "/tmp"}, "stdin": false});
        let request = self
            .request(Method::POST, "/process.Process/Start")
            .header("Content-Type", "application/connect+json")
            .header("Connect-Protocol-Version", "1")
            .header("Keepalive-Ping-Interval", KEEPALIVE_S)
            .body(Frames::write(&start.to_string()));
        let mut response = match send(request, Part::Sandbox, LIMIT).await {
            // It may have started.
            Err(Fault::Unavailable(why)) => return Err(Fault::Gone(why)),
            sent => sent?,
        };
        let mut frames = Frames::default();
        loop {
            let piece = tokio::time::timeout(SILENCE, response.chunk()).await;
            let piece = piece.map_err(|_| Fault::Gone(format!("the sandbox was silent for {} s", SILENCE.as_secs())))?;
            let piece = piece.map_err(|error| Fault::Gone(format!("the output of the program was cut: {}", chain(&error))))?;
            let piece = piece.ok_or_else(|| Fault::Gone("the output of the program was cut before it ended".to_owned()))?;
            frames.push(&piece);
            while let Some(event) = frames.next()? {
                match event {
                    Event::Data { is_stdout, bytes } => sink(is_stdout, &bytes),
                    Event::Ended(exit_code) => return Ok(exit_code),
                    Event::Other => {}
                }
            }
        }
    }

    /// As a form: what every version of `envd` takes.
    async fn upload(&self, path: &str, bytes: Bytes) -> Result<(), Fault> {
        let boundary = Uuid::now_v7().simple().to_string();
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        );
        let end = format!("\r\n--{boundary}--\r\n");
        let text = |text: String| stream::once(async { Ok::<_, std::io::Error>(bytes::Bytes::from(text)) });
        let body = text(head).chain(ReaderStream::with_capacity(bytes, 64 << 10)).chain(text(end));
        let request = self
            .request(Method::POST, "/files")
            .query(&[("path", path), ("username", "user")])
            .header("Content-Type", format!("multipart/form-data; boundary={boundary}"))
            .body(Body::wrap_stream(body));
        send(request, Part::Sandbox, FILE_LIMIT).await.map(drop)
    }

    async fn download(&self, path: &str) -> Result<Bytes, Fault> {
        let request = self.request(Method::GET, "/files").query(&[("path", path), ("username", "user")]).timeout(FILE_LIMIT);
        let response = send(request, Part::Sandbox, LIMIT).await?;
        let bytes = response.bytes_stream().map_err(|error| std::io::Error::other(chain(&error)));
        Ok(Box::new(StreamReader::new(bytes.boxed())))
    }
}

impl Machine for Sandbox {
    fn id(&self) -> &str {
        &self.id
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
