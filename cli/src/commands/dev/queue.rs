//! The queue of `nofx dev`: its server, and the settings of workers.

use std::path::Path;

use nofx_local::{Aws, Redis};
use nofx_shared::settings::{self, AwsKeys};

use super::options;

/// The queue's server, if it needs one.
pub(super) enum Queue {
    Postgres,
    Redis(Redis),
    Sqs(Aws),
}

/// The emulator requires keys but does not check them.
const KEY: &str = "nofx-dev";

impl Queue {
    pub(super) async fn start(which: options::Queue, data_dir: &Path) -> Result<Self, nofx_local::Error> {
        Ok(match which {
            options::Queue::Postgres => Self::Postgres,
            options::Queue::Redis => Self::Redis(Redis::start(data_dir).await?),
            options::Queue::Sqs => Self::Sqs(Aws::start(data_dir, "nofx").await?),
        })
    }

    /// As the API of this process takes it.
    pub(super) fn settings(&self) -> settings::Queue {
        match self {
            Self::Postgres => settings::Queue::Postgres,
            Self::Redis(redis) => settings::Queue::Redis { url: redis.url() },
            Self::Sqs(aws) => {
                let keys = AwsKeys { id: KEY.to_owned(), secret: KEY.to_owned(), session: None };
                let aws = settings::Aws { region: "us-east-1".to_owned(), endpoint: Some(aws.url()), keys: Some(keys) };
                settings::Queue::Sqs { prefix: "nofx".to_owned(), aws }
            }
        }
    }

    /// As other processes take it.
    pub(super) fn env(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Postgres => vec![("QUEUE_DRIVER", "postgres".to_owned())],
            Self::Redis(redis) => vec![("QUEUE_DRIVER", "redis".to_owned()), ("REDIS_URL", redis.url())],
            Self::Sqs(aws) => vec![
                ("QUEUE_DRIVER", "sqs".to_owned()),
                ("SQS_PREFIX", "nofx".to_owned()),
                ("AWS_REGION", "us-east-1".to_owned()),
                ("AWS_ENDPOINT_URL", aws.url()),
                ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
                ("AWS_SECRET_ACCESS_KEY", KEY.to_owned()),
            ],
        }
    }

    /// The server's process; 0 when there is none of ours.
    pub(super) fn pid(&self) -> i32 {
        match self {
            Self::Postgres => 0,
            Self::Redis(redis) => redis.pid(),
            Self::Sqs(aws) => aws.pid(),
        }
    }

    pub(super) async fn stop(self) {
        match self {
            Self::Postgres => {}
            Self::Redis(redis) => redis.stop().await,
            Self::Sqs(aws) => aws.stop().await,
        }
    }
}
