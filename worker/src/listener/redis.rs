//! Rings through a Redis stream with one consumer group: each ring reaches one worker, and another one if that goes away.

use std::time::Duration;

use nofx_shared::queue::{DEAD_STREAM, GROUP, STREAM};
use nofx_shared::settings::Queue;
use nofx_shared::telemetry;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::streams::{StreamAutoClaimReply, StreamId, StreamMaxlen, StreamReadOptions, StreamReadReply};
use redis::{AsyncCommands, RedisError};
use uuid::Uuid;

use super::{Settings, WakeSource};

/// How long to wait for a ring before looking whether a worker left some behind.
const POLL_TIMEOUT: Duration = Duration::from_secs(20);
/// A ring that nobody looked after for so long belongs to a worker that is gone.
const CLAIM_IDLE_AFTER: Duration = Duration::from_secs(30);
/// Most rings that one look answers.
const BATCH: usize = 256;

pub(super) struct RedisSource {
    redis: ConnectionManager,
    worker: String,
    unacked: Vec<String>,
    /// Whether to look without waiting for a ring.
    poll_now: bool,
}

impl WakeSource for RedisSource {
    type Error = RedisError;

    async fn open(settings: &Settings) -> Result<Self, RedisError> {
        let Queue::Redis { url } = &settings.queue else {
            return Err(RedisError::from((redis::ErrorKind::InvalidClientConfig, "the queue is not Redis")));
        };
        let config = ConnectionManagerConfig::new().set_response_timeout(Some(POLL_TIMEOUT * 2)).set_number_of_retries(1);
        let mut redis = ConnectionManager::new_with_config(redis::Client::open(url.as_str())?, config).await?;
        let made: Result<(), RedisError> = redis.xgroup_create_mkstream(STREAM, GROUP, "0").await;
        // It is there since the first worker.
        made.or_else(|error| if error.code() == Some("BUSYGROUP") { Ok(()) } else { Err(error) })?;
        Ok(Self { redis, worker: settings.worker.clone(), unacked: vec![], poll_now: true })
    }

    async fn recv(&mut self) -> Result<(), RedisError> {
        if std::mem::take(&mut self.poll_now) {
            return Ok(());
        }
        let millis = |duration: Duration| usize::try_from(duration.as_millis()).unwrap_or(usize::MAX);
        let options = StreamReadOptions::default().group(GROUP, &self.worker).count(BATCH).block(millis(POLL_TIMEOUT));
        loop {
            let read: Option<StreamReadReply> = self.redis.xread_options(&[STREAM], &[">"], &options).await?;
            let mut entries: Vec<StreamId> = read.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids).collect();
            if entries.is_empty() {
                let left: StreamAutoClaimReply =
                    self.redis.xautoclaim_options(STREAM, GROUP, &self.worker, millis(CLAIM_IDLE_AFTER), "0-0", Default::default()).await?;
                self.unacked.extend(left.deleted_ids);
                entries = left.claimed;
            }
            for entry in entries {
                if entry.get::<String>("id").is_some_and(|id| id.parse::<Uuid>().is_ok()) {
                    record_receipt(&entry);
                    self.unacked.push(entry.id);
                } else {
                    self.dead_letter(&entry).await?;
                }
            }
            if !self.unacked.is_empty() {
                return Ok(());
            }
        }
    }

    async fn nack(&mut self) -> Result<(), RedisError> {
        let rings = std::mem::take(&mut self.unacked);
        if rings.is_empty() {
            return Ok(());
        }
        // One ring stands for all of them: whoever hears it looks until nothing is left.
        let again = [("id", Uuid::now_v7().to_string())];
        let mut pipe = redis::pipe();
        pipe.xadd(STREAM, "*", &again).ignore().xack(STREAM, GROUP, &rings).ignore().xdel(STREAM, &rings).ignore();
        pipe.query_async(&mut self.redis).await
    }

    async fn ack(&mut self, _found: bool) -> Result<(), RedisError> {
        let answered = std::mem::take(&mut self.unacked);
        if answered.is_empty() {
            return Ok(());
        }
        redis::pipe().xack(STREAM, GROUP, &answered).ignore().xdel(STREAM, &answered).ignore().query_async(&mut self.redis).await
    }
}

impl RedisSource {
    /// An entry that is no ring would come again for ever: it is kept aside, for whoever wants to know who writes such.
    async fn dead_letter(&mut self, entry: &StreamId) -> Result<(), RedisError> {
        tracing::warn!(entry = entry.id, stream = DEAD_STREAM, "unrecognised queue message; moved to the dead-letter stream");
        let text = format!("{:?}", entry.map);
        let keep = StreamMaxlen::Approx(1000);
        let mut pipe = redis::pipe();
        pipe.xadd_maxlen(DEAD_STREAM, keep, "*", &[("entry", entry.id.as_str()), ("fields", text.as_str())]).ignore();
        pipe.xack(STREAM, GROUP, &[&entry.id]).ignore().xdel(STREAM, &[&entry.id]).ignore().query_async(&mut self.redis).await
    }
}

/// Records that the ring of a trace was notified.
fn record_receipt(ring: &StreamId) {
    if let Some(trace) = ring.get::<String>("traceparent").and_then(|text| text.parse().ok()) {
        let span = tracing::info_span!(
            "receive step.ready",
            otel.kind = "consumer",
            messaging.operation.r#type = "receive",
            messaging.system = "redis"
        );
        telemetry::follow(&span, Some(&trace));
    }
}
