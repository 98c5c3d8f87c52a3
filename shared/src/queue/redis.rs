//! Wake-ups as entries of a Redis stream.

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::streams::{StreamAddOptions, StreamTrimStrategy, StreamTrimmingMode};
use redis::{Client, RedisError};
use tokio::sync::OnceCell;

use super::WakeUp;
use crate::events::CHANNEL;

/// Key of the stream of wake-ups.
pub const STREAM: &str = "nofx:step.ready";
/// The consumer group of all workers.
pub const GROUP: &str = "workers";
/// Key of the stream of entries that are not wake-ups.
pub const DEAD_STREAM: &str = "nofx:step.ready:dead";
/// Wake-ups beyond this number are dropped, oldest first: the next poll finds their steps, too.
const MAX_LENGTH: usize = 10_000;

pub(super) struct Sender {
    url: String,
    redis: OnceCell<ConnectionManager>,
}

impl Sender {
    pub(super) fn new(url: String) -> Self {
        Self { url, redis: OnceCell::new() }
    }

    async fn connection(&self) -> Result<ConnectionManager, RedisError> {
        let connect = || async {
            let config = ConnectionManagerConfig::new().set_number_of_retries(1);
            ConnectionManager::new_with_config(Client::open(self.url.as_str())?, config).await
        };
        self.redis.get_or_try_init(connect).await.cloned()
    }

    pub(super) async fn check(&self) -> Result<(), RedisError> {
        redis::cmd("PING").query_async(&mut self.connection().await?).await
    }

    pub(super) async fn send(&self, wake_ups: &[WakeUp]) -> Result<(), RedisError> {
        let mut redis = self.connection().await?;
        let options = StreamAddOptions::default().trim(StreamTrimStrategy::maxlen(StreamTrimmingMode::Approx, MAX_LENGTH));
        let mut pipe = redis::pipe();
        for wake_up in wake_ups {
            let mut fields = vec![("id", wake_up.id.to_string())];
            fields.extend(wake_up.trace.as_ref().map(|trace| ("traceparent", trace.to_string())));
            pipe.xadd_options(STREAM, "*", &fields, &options).ignore();
        }
        pipe.publish(CHANNEL, "").ignore();
        pipe.query_async(&mut redis).await
    }

    pub(super) async fn notify_event_listeners(&self) -> Result<(), RedisError> {
        redis::cmd("PUBLISH").arg(CHANNEL).arg("").query_async(&mut self.connection().await?).await
    }
}
