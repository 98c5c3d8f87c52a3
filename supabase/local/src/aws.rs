//! AWS for `nofx dev --queue sqs`: moto's server, with the queues that a deployment has (`worker/deploy/queues.yaml`).
#![expect(clippy::disallowed_methods, reason = "calls the emulator on loopback only")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::dirs;
use crate::error::{At, Error, READY_TIMEOUT};
use crate::port::free_port;
use crate::process::{Recipe, Supervised, end_leftover};

/// A running emulator.
pub struct Aws {
    process: Supervised,
    url: String,
    keeper: tokio::task::JoinHandle<()>,
}

/// How often a message is received before it moves to the dead-letter queue.
const MAX_RECEIVE_COUNT: u32 = 5;
/// For how long a received message is hidden.
const VISIBILITY_S: u32 = 30;

impl Aws {
    /// Starts it, after ending the one that a killed stack left behind, and creates the queues `<prefix>-high`, `-normal`, `-low` and
    /// `-dead`.
    pub async fn start(data_dir: &Path, prefix: &str) -> Result<Self, Error> {
        let program = moto()?;
        let pid_file = data_dir.join("aws.pid");
        if let Some(pid) = left_behind(&pid_file, &program) {
            end_leftover(pid, &interpreter(&program), Signal::SIGTERM).await;
        }
        let port = free_port()?;
        let recipe = Recipe {
            name: "moto",
            program,
            args: ["-H", "127.0.0.1", "-p", &port.to_string()].map(str::to_owned).to_vec(),
            env: vec![],
            log: data_dir.join("aws.log"),
            user: None,
            stop_with: Signal::SIGTERM,
        };
        let log = recipe.log.clone();
        let process = recipe.supervise()?;
        let queues = Queues { client: reqwest::Client::new(), url: format!("http://127.0.0.1:{port}"), prefix: prefix.to_owned() };
        let begin = Instant::now();
        while queues.make().await.is_err() {
            if begin.elapsed() > READY_TIMEOUT {
                process.stop().await;
                return Err(Error::NotReady { what: "moto", log });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let url = queues.url.clone();
        std::fs::write(&pid_file, process.pid().to_string()).at("could not write", &pid_file)?;
        Ok(Self { process, url, keeper: tokio::spawn(queues.maintain()) })
    }

    /// What `AWS_ENDPOINT_URL` is set to.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    pub fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// Ends it.
    pub async fn stop(self) {
        self.keeper.abort();
        self.process.stop().await;
    }
}

struct Queues {
    client: reqwest::Client,
    url: String,
    prefix: String,
}

impl Queues {
    /// Creates the queues again and again: an emulator that was restarted has none, and creating one that exists changes nothing.
    async fn maintain(self) {
        loop {
            tokio::time::sleep(Duration::from_secs(2)).await;
            if let Err(error) = self.make().await {
                tracing::debug!(%error, "moto is not responding");
            }
        }
    }

    async fn make(&self) -> Result<(), reqwest::Error> {
        let prefix = &self.prefix;
        let dead = self.make_queue(&format!("{prefix}-dead"), json!({})).await?;
        let attributes = json!({"QueueUrl": dead["QueueUrl"], "AttributeNames": ["QueueArn"]});
        let arn = self.call("GetQueueAttributes", &attributes).await?["Attributes"]["QueueArn"].clone();
        let redrive = json!({"deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVE_COUNT}).to_string();
        for urgency in ["high", "normal", "low"] {
            let attributes = json!({"VisibilityTimeout": VISIBILITY_S.to_string(), "RedrivePolicy": redrive});
            self.make_queue(&format!("{prefix}-{urgency}"), attributes).await?;
        }
        Ok(())
    }

    async fn make_queue(&self, name: &str, attributes: Value) -> Result<Value, reqwest::Error> {
        self.call("CreateQueue", &json!({"QueueName": name, "Attributes": attributes})).await
    }

    /// The JSON protocol of SQS. The emulator reads from the signature's scope which service is meant, and checks no more of it.
    async fn call(&self, call: &str, body: &Value) -> Result<Value, reqwest::Error> {
        let request = self.client.post(&self.url).header("x-amz-target", format!("AmazonSQS.{call}"));
        let scope = "AWS4-HMAC-SHA256 Credential=nofx/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0";
        request
            .header("authorization", scope)
            .header("content-type", "application/x-amz-json-1.0")
            .body(body.to_string())
            .send()
            .await?
            .error_for_status()?
            .json()
            .await
    }
}

/// The server, from the PATH or from where scripts/bootstrap-dev.sh puts it.
fn moto() -> Result<PathBuf, Error> {
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.ancestors().nth(2)?.join("python/bin/moto_server")));
    let found = dirs::on_path("moto_server").or_else(|| beside.filter(|path| path.is_file()));
    found.ok_or(Error::NoEmulator)
}

/// Python, which the server's process carries the name of.
fn interpreter(program: &Path) -> PathBuf {
    let python = program.with_file_name("python");
    python.canonicalize().unwrap_or(python)
}

/// The recorded process, if it is still the server.
fn left_behind(pid_file: &Path, program: &Path) -> Option<i32> {
    let pid: i32 = std::fs::read_to_string(pid_file).ok()?.trim().parse().ok()?;
    let arguments = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
    arguments.contains(program.to_str()?).then_some(pid)
}
