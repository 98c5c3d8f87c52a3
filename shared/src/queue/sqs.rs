//! Wake-ups as SQS messages: one standard queue for each urgency. Not FIFO: a wake-up may come twice, late or in any order, because
//! Postgres decides, and FIFO would cost throughput for an order that is not needed.
//!
//! Sends two calls of the JSON protocol, signed by AWS' own signer, instead of the whole SDK: that is 5 MB of each function's
//! binary, and a third of its cold start's reading (measured; ADR 0008). Workers receive with the SDK.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::WakeUp;
use crate::net;
use crate::settings::Aws;

/// Most messages in one call (an SQS quota).
const BATCH: usize = 10;
const DEADLINE: Duration = Duration::from_secs(5);

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why SQS did not accept messages.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no AWS credentials found")]
    Credentials(#[source] Cause),
    #[error("{call} of {queue} failed")]
    Unavailable {
        call: &'static str,
        queue: String,
        #[source]
        source: Cause,
    },
    #[error("{call} of {queue} was refused with {code}")]
    Refused { call: &'static str, queue: String, code: String },
    #[error("the queue {queue} accepted {taken} of {sent} messages: {code}")]
    Partial { queue: String, taken: usize, sent: usize, code: String },
}

/// The body of a message.
#[derive(Debug, Serialize, Deserialize)]
pub struct Message {
    pub id: Uuid,
}

/// The queue that a wake-up goes to: an urgent one does not wait behind many others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    High,
    Normal,
    Low,
}

impl Urgency {
    pub const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];

    fn of(wake_up: &WakeUp) -> Self {
        match wake_up.priority {
            1.. => Self::High,
            0 => Self::Normal,
            _ => Self::Low,
        }
    }

    /// The queue's name.
    pub fn queue(self, prefix: &str) -> String {
        let urgency = match self {
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        };
        format!("{prefix}-{urgency}")
    }
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    id: String,
    message_body: String,
    message_attributes: HashMap<&'static str, Attribute>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    data_type: &'static str,
    string_value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sent {
    #[serde(default)]
    failed: Vec<Failed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Failed {
    id: String,
    code: String,
    sender_fault: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    queue_url: String,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "__type")]
    code: String,
}

pub(super) struct Sender {
    prefix: String,
    aws: Aws,
    credentials: SharedCredentialsProvider,
    client: OnceCell<reqwest::Client>,
    urls: [OnceCell<String>; 3],
}

impl Sender {
    pub(super) fn new(prefix: String, aws: Aws, credentials: SharedCredentialsProvider) -> Self {
        Self { prefix, aws, credentials, client: OnceCell::new(), urls: Default::default() }
    }

    async fn find(&self, queue: &str) -> Result<String, Error> {
        let found: Found = self.call("GetQueueUrl", queue, &serde_json::json!({"QueueName": queue})).await?;
        Ok(found.queue_url)
    }

    pub(super) async fn check(&self) -> Result<(), Error> {
        for urgency in Urgency::ALL {
            self.find(&urgency.queue(&self.prefix)).await?;
        }
        Ok(())
    }

    pub(super) async fn send(&self, wake_ups: &[WakeUp]) -> Result<(), Error> {
        for (urgency, url) in Urgency::ALL.into_iter().zip(&self.urls) {
            let wake_ups: Vec<&WakeUp> = wake_ups.iter().filter(|wake_up| Urgency::of(wake_up) == urgency).collect();
            if wake_ups.is_empty() {
                continue;
            }
            let queue = urgency.queue(&self.prefix);
            let url = url.get_or_try_init(|| self.find(&queue)).await?;
            for batch in wake_ups.chunks(BATCH) {
                self.send_batch(&queue, url, batch.iter().enumerate().map(entry).collect()).await?;
            }
        }
        Ok(())
    }

    /// Sends up to ten messages. Those that failed in SQS itself are sent once more.
    async fn send_batch(&self, queue: &str, url: &str, mut entries: Vec<Entry>) -> Result<(), Error> {
        let sent = entries.len();
        for again in [true, false] {
            let answer: Sent = self.call("SendMessageBatch", queue, &serde_json::json!({"QueueUrl": url, "Entries": entries})).await?;
            let Some(first) = answer.failed.first() else { return Ok(()) };
            let is_permanent = answer.failed.iter().any(|failed| failed.sender_fault);
            if is_permanent || !again {
                let taken = sent - answer.failed.len();
                return Err(Error::Partial { queue: queue.to_owned(), taken, sent, code: first.code.clone() });
            }
            entries.retain(|entry| answer.failed.iter().any(|failed| failed.id == entry.id));
        }
        Ok(())
    }

    /// One call of the JSON protocol (`AmazonSQS.<call>`), signed (Signature Version 4).
    async fn call<R: DeserializeOwned>(&self, call: &'static str, queue: &str, body: &serde_json::Value) -> Result<R, Error> {
        let failed = |source: Cause| Error::Unavailable { call, queue: queue.to_owned(), source };
        let credentials = self.credentials.provide_credentials().await.map_err(|error| Error::Credentials(error.into()))?;
        let endpoint = self.aws.endpoint.clone().unwrap_or_else(|| format!("https://sqs.{}.amazonaws.com", self.aws.region));
        let (url, body) = (format!("{endpoint}/"), body.to_string());
        let target = format!("AmazonSQS.{call}");
        let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target.as_str())];
        let identity = credentials.into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(&self.aws.region)
            .name("sqs")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| failed(error.into()))?
            .into();
        let signable = SignableRequest::new("POST", &url, headers.into_iter(), SignableBody::Bytes(body.as_bytes()));
        let (instructions, _) = signable.and_then(|request| sign(request, &parameters)).map_err(|error| failed(error.into()))?.into_parts();
        let client = self.client.get_or_init(|| async { net::client() }).await;
        let mut request = client.post(&url).timeout(DEADLINE);
        for (name, value) in headers.into_iter().chain(instructions.headers()) {
            request = request.header(name, value);
        }
        let answer = request.body(body).send().await.map_err(|error| failed(error.into()))?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(|error| failed(error.into()))?;
        if !status.is_success() {
            let code = serde_json::from_slice::<Refusal>(&bytes).map_or_else(|_| status.to_string(), |refusal| refusal.code);
            return Err(Error::Refused { call, queue: queue.to_owned(), code });
        }
        serde_json::from_slice(&bytes).map_err(|error| failed(error.into()))
    }
}

fn entry((at, wake_up): (usize, &&WakeUp)) -> Entry {
    let message_body = serde_json::to_string(&Message { id: wake_up.id }).expect("an id is JSON");
    let trace = wake_up.trace.as_ref().map(|trace| ("traceparent", Attribute { data_type: "String", string_value: trace.to_string() }));
    Entry { id: at.to_string(), message_body, message_attributes: trace.into_iter().collect() }
}
