//! Rings through a Redis stream with one consumer group: each ring reaches one worker, and another one if that goes away.

use std::time::Duration;

use nofx_shared::queue::{GROUP, STREAM};
use nofx_shared::settings::Queue;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::streams::{StreamAutoClaimReply, StreamReadOptions, StreamReadReply};
use redis::{AsyncCommands, RedisError};

use super::{Doorbell, Settings};

/// How long to wait for a ring before looking whether a worker left some behind.
const PATIENCE: Duration = Duration::from_secs(20);
/// A ring that nobody looked after for so long belongs to a worker that is gone.
const ABANDONED: Duration = Duration::from_secs(30);
/// Most rings that one look answers.
const BATCH: usize = 256;

pub(super) struct Stream {
    redis: ConnectionManager,
    worker: String,
    unanswered: Vec<String>,
    /// Whether to look without waiting for a ring.
    look: bool,
}

impl Doorbell for Stream {
    type Error = RedisError;

    async fn open(settings: &Settings) -> Result<Self, RedisError> {
        let Queue::Redis { url } = &settings.queue else {
            return Err(RedisError::from((redis::ErrorKind::InvalidClientConfig, "the queue is not Redis")));
        };
        let config = ConnectionManagerConfig::new().set_response_timeout(Some(PATIENCE * 2)).set_number_of_retries(1);
        let mut redis = ConnectionManager::new_with_config(redis::Client::open(url.as_str())?, config).await?;
        let made: Result<(), RedisError> = redis.xgroup_create_mkstream(STREAM, GROUP, "0").await;
        // It is there since the first worker.
        made.or_else(|error| if error.code() == Some("BUSYGROUP") { Ok(()) } else { Err(error) })?;
        Ok(Self { redis, worker: settings.worker.clone(), unanswered: vec![], look: true })
    }

    async fn ring(&mut self) -> Result<(), RedisError> {
        if std::mem::take(&mut self.look) {
            return Ok(());
        }
        let millis = |duration: Duration| usize::try_from(duration.as_millis()).unwrap_or(usize::MAX);
        let options = StreamReadOptions::default().group(GROUP, &self.worker).count(BATCH).block(millis(PATIENCE));
        loop {
            let read: Option<StreamReadReply> = self.redis.xread_options(&[STREAM], &[">"], &options).await?;
            self.unanswered = read.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids).map(|ring| ring.id).collect();
            if self.unanswered.is_empty() {
                let left: StreamAutoClaimReply =
                    self.redis.xautoclaim_options(STREAM, GROUP, &self.worker, millis(ABANDONED), "0-0", Default::default()).await?;
                self.unanswered = left.claimed.into_iter().map(|ring| ring.id).chain(left.deleted_ids).collect();
            }
            if !self.unanswered.is_empty() {
                return Ok(());
            }
        }
    }

    async fn looked(&mut self, _found: bool) -> Result<(), RedisError> {
        let answered = std::mem::take(&mut self.unanswered);
        if answered.is_empty() {
            return Ok(());
        }
        redis::pipe().xack(STREAM, GROUP, &answered).ignore().xdel(STREAM, &answered).ignore().query_async(&mut self.redis).await
    }
}
