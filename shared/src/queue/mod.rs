//! The sending side of the doorbell: tells workers that something may be ready. A ring says where to look and nothing more;
//! losing it costs seconds, never work, because a sweeper rings again. The hearing side is `worker/src/doorbell`.

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::streams::{StreamAddOptions, StreamTrimStrategy, StreamTrimmingMode};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::settings;

/// Key of the stream of rings.
pub const STREAM: &str = "nofx:doorbell";
/// The consumer group of all workers.
pub const GROUP: &str = "workers";
/// Rings beyond so many are dropped, oldest first: a look finds what they told of, too.
const KEEP: usize = 10_000;

/// Why a ring could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot ring through Redis")]
    Redis(#[from] redis::RedisError),
}

/// Sends rings through the queue of the settings.
pub struct Queue {
    driver: settings::Queue,
    redis: OnceCell<ConnectionManager>,
}

impl Queue {
    /// Connects with the first ring.
    pub fn new(driver: settings::Queue) -> Self {
        Self { driver, redis: OnceCell::new() }
    }

    /// Rings for runs or steps. With Postgres as the queue there is nothing to send: its functions ring when they commit.
    pub async fn ring(&self, subjects: &[Uuid]) -> Result<(), Error> {
        match &self.driver {
            settings::Queue::Postgres => Ok(()),
            settings::Queue::Redis { .. } if subjects.is_empty() => Ok(()),
            settings::Queue::Redis { url } => {
                let connect = || async {
                    let config = ConnectionManagerConfig::new().set_number_of_retries(1);
                    ConnectionManager::new_with_config(redis::Client::open(url.as_str())?, config).await
                };
                let mut redis = self.redis.get_or_try_init(connect).await?.clone();
                let keep = StreamAddOptions::default().trim(StreamTrimStrategy::maxlen(StreamTrimmingMode::Approx, KEEP));
                let mut rings = redis::pipe();
                for subject in subjects {
                    rings.xadd_options(STREAM, "*", &[("look", subject.to_string())], &keep).ignore();
                }
                Ok(rings.query_async(&mut redis).await?)
            }
        }
    }
}
