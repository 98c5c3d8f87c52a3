//! Wake-ups through a Redis stream with one consumer group: each reaches one worker, and another one if the first is killed.

use std::time::Duration;

use nofx_shared::queue::{DEAD_STREAM, GROUP, STREAM};
use nofx_shared::settings::Queue;
use nofx_shared::telemetry;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::streams::{StreamAutoClaimReply, StreamId, StreamMaxlen, StreamReadOptions, StreamReadReply};
use redis::{AsyncCommands, RedisError};
use uuid::Uuid;

use super::source::{Settings, WakeSource};

/// Longest read, after which wake-ups of killed workers are claimed.
const POLL_TIMEOUT: Duration = Duration::from_secs(20);
/// A wake-up that was not acknowledged for this long belongs to a worker that was killed.
const CLAIM_IDLE_AFTER: Duration = Duration::from_secs(30);
/// Wake-ups in one read, at most.
const BATCH_SIZE: usize = 256;

pub(super) struct RedisSource {
    redis: ConnectionManager,
    worker: String,
    unacked: Vec<String>,
    /// Whether the next `recv` returns at once.
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
        let created: Result<(), RedisError> = redis.xgroup_create_mkstream(STREAM, GROUP, "0").await;
        // It exists since the first worker.
        created.or_else(|error| if error.code() == Some("BUSYGROUP") { Ok(()) } else { Err(error) })?;
        Ok(Self { redis, worker: settings.worker.clone(), unacked: vec![], poll_now: true })
    }

    async fn recv(&mut self) -> Result<(), RedisError> {
        if std::mem::take(&mut self.poll_now) {
            return Ok(());
        }
        let millis = |duration: Duration| usize::try_from(duration.as_millis()).unwrap_or(usize::MAX);
        let options = StreamReadOptions::default().group(GROUP, &self.worker).count(BATCH_SIZE).block(millis(POLL_TIMEOUT));
        loop {
            let read: Option<StreamReadReply> = self.redis.xread_options(&[STREAM], &[">"], &options).await?;
            let mut entries: Vec<StreamId> = read.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids).collect();
            if entries.is_empty() {
                let idle: StreamAutoClaimReply =
                    self.redis.xautoclaim_options(STREAM, GROUP, &self.worker, millis(CLAIM_IDLE_AFTER), "0-0", Default::default()).await?;
                self.unacked.extend(idle.deleted_ids);
                entries = idle.claimed;
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
        let unacked = std::mem::take(&mut self.unacked);
        if unacked.is_empty() {
            return Ok(());
        }
        // One wake-up is enough for all of them: the worker that receives it claims until no step is ready.
        let again = [("id", Uuid::now_v7().to_string())];
        let mut pipe = redis::pipe();
        pipe.xadd(STREAM, "*", &again).ignore().xack(STREAM, GROUP, &unacked).ignore().xdel(STREAM, &unacked).ignore();
        pipe.query_async(&mut self.redis).await
    }

    async fn ack(&mut self, _found: bool) -> Result<(), RedisError> {
        let unacked = std::mem::take(&mut self.unacked);
        if unacked.is_empty() {
            return Ok(());
        }
        redis::pipe().xack(STREAM, GROUP, &unacked).ignore().xdel(STREAM, &unacked).ignore().query_async(&mut self.redis).await
    }
}

impl RedisSource {
    /// Moves an entry that is not a wake-up to a stream of its own, for operators; otherwise it would come again forever.
    async fn dead_letter(&mut self, entry: &StreamId) -> Result<(), RedisError> {
        tracing::warn!(entry = entry.id, stream = DEAD_STREAM, "unrecognised queue message; moved to the dead-letter stream");
        let text = format!("{:?}", entry.map);
        let max_len = StreamMaxlen::Approx(1000);
        let mut pipe = redis::pipe();
        pipe.xadd_maxlen(DEAD_STREAM, max_len, "*", &[("entry", entry.id.as_str()), ("fields", text.as_str())]).ignore();
        pipe.xack(STREAM, GROUP, &[&entry.id]).ignore().xdel(STREAM, &[&entry.id]).ignore().query_async(&mut self.redis).await
    }
}

/// Records the receipt of a wake-up in its trace.
fn record_receipt(entry: &StreamId) {
    if let Some(trace) = entry.get::<String>("traceparent").and_then(|text| text.parse().ok()) {
        let span = tracing::info_span!(
            "receive step.ready",
            otel.kind = "consumer",
            messaging.operation.r#type = "receive",
            messaging.system = "redis"
        );
        telemetry::follow(&span, Some(&trace));
    }
}
