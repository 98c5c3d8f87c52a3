//! Wake-ups through SQS: long polls of one queue for each urgency. A message is deleted after a claim; until then it comes again, to any
//! worker. A message that is not a wake-up is not deleted: after five receipts SQS moves it to the dead-letter queue.

use std::collections::HashMap;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message as Received};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use nofx_shared::net;
use nofx_shared::queue::{Message, Urgency};
use nofx_shared::settings::Queue;
use nofx_shared::telemetry;

use super::source::{Settings, WakeSource};

/// The longest poll that SQS allows.
const POLL_TIMEOUT_S: i32 = 20;
/// Messages in one call, at most (an SQS quota).
const BATCH_SIZE: i32 = 10;

/// Why a call of SQS failed.
#[derive(Debug, thiserror::Error)]
#[error("{call} of {queue}: {message}")]
pub(super) struct Error {
    call: &'static str,
    queue: String,
    message: String,
}

impl Error {
    fn of(call: &'static str, queue: &str, error: impl std::error::Error) -> Self {
        Self { call, queue: queue.to_owned(), message: DisplayErrorContext(error).to_string() }
    }
}

type Poll = BoxFuture<'static, (usize, Result<Vec<Received>, Error>)>;

pub(super) struct SqsSource {
    client: Client,
    /// Names and URLs.
    queues: Vec<(String, String)>,
    /// Queues without a poll in flight.
    idle: Vec<usize>,
    /// Polls in flight: they continue when another queue has a wake-up, so that no message that SQS returns is dropped.
    polls: FuturesUnordered<Poll>,
    /// Receipts of wake-ups that were not acknowledged yet, by queue.
    unacked: HashMap<usize, Vec<String>>,
    /// Whether the next `recv` returns at once.
    poll_now: bool,
}

impl SqsSource {
    fn poll(&self, queue: usize) -> Poll {
        let client = self.client.clone();
        let (name, url) = self.queues[queue].clone();
        Box::pin(async move {
            let call = client.receive_message().queue_url(url).max_number_of_messages(BATCH_SIZE).wait_time_seconds(POLL_TIMEOUT_S);
            let reply = call.message_attribute_names("traceparent").send().await;
            (queue, reply.map(|reply| reply.messages.unwrap_or_default()).map_err(|error| Error::of("ReceiveMessage", &name, error)))
        })
    }
}

impl WakeSource for SqsSource {
    type Error = Error;

    async fn open(settings: &Settings) -> Result<Self, Error> {
        let Queue::Sqs { prefix, aws } = &settings.queue else { unreachable!("the settings chose this driver") };
        let client = Client::new(&net::aws(aws).await);
        let mut queues = vec![];
        for urgency in Urgency::ALL {
            let name = urgency.queue(prefix);
            let found = client.get_queue_url().queue_name(&name).send().await.map_err(|error| Error::of("GetQueueUrl", &name, error))?;
            queues.push((name, found.queue_url.unwrap_or_default()));
        }
        let idle = (0..queues.len()).collect();
        Ok(Self { client, queues, idle, polls: FuturesUnordered::new(), unacked: HashMap::new(), poll_now: true })
    }

    async fn recv(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.poll_now) {
            return Ok(());
        }
        loop {
            for queue in std::mem::take(&mut self.idle) {
                self.polls.push(self.poll(queue));
            }
            let Some((queue, received)) = self.polls.next().await else { continue };
            self.idle.push(queue);
            for message in received? {
                record_receipt(&message);
                match serde_json::from_str::<Message>(message.body.as_deref().unwrap_or_default()) {
                    Ok(_) => self.unacked.entry(queue).or_default().extend(message.receipt_handle),
                    Err(error) => {
                        tracing::warn!(%error, queue = self.queues[queue].0, message.id = message.message_id, "unrecognised queue message")
                    }
                }
            }
            if !self.unacked.is_empty() {
                return Ok(());
            }
        }
    }

    async fn nack(&mut self) -> Result<(), Error> {
        for (queue, receipts) in self.unacked.drain() {
            let (name, url) = &self.queues[queue];
            let entry = |(at, receipt): (usize, String)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(at.to_string()).receipt_handle(receipt);
                entry.visibility_timeout(0).build().expect("it has an id and a receipt")
            };
            let entries = receipts.into_iter().enumerate().map(entry).collect();
            let call = self.client.change_message_visibility_batch().queue_url(url).set_entries(Some(entries));
            call.send().await.map_err(|error| Error::of("ChangeMessageVisibilityBatch", name, error))?;
        }
        Ok(())
    }

    async fn ack(&mut self, _found: bool) -> Result<(), Error> {
        for (queue, receipts) in self.unacked.drain() {
            let (name, url) = &self.queues[queue];
            let entry = |(at, receipt): (usize, String)| {
                DeleteMessageBatchRequestEntry::builder()
                    .id(at.to_string())
                    .receipt_handle(receipt)
                    .build()
                    .expect("it has an id and a receipt")
            };
            let entries = receipts.into_iter().enumerate().map(entry).collect();
            let call = self.client.delete_message_batch().queue_url(url).set_entries(Some(entries));
            let reply = call.send().await.map_err(|error| Error::of("DeleteMessageBatch", name, error))?;
            // They come once more and cost one claim.
            for failed in reply.failed {
                tracing::warn!(queue = name, code = failed.code, "SQS did not delete a message");
            }
        }
        Ok(())
    }
}

/// Records the receipt of a wake-up in its trace.
fn record_receipt(message: &Received) {
    let attributes = message.message_attributes.as_ref();
    let trace = attributes.and_then(|all| all.get("traceparent")?.string_value.as_deref()?.parse().ok());
    if trace.is_some() {
        let span = tracing::info_span!(
            "receive step.ready",
            otel.kind = "consumer",
            messaging.operation.r#type = "receive",
            messaging.system = "aws_sqs"
        );
        telemetry::follow(&span, trace.as_ref());
    }
}
