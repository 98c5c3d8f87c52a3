use super::{Aws, Reader};

/// How workers are woken: `QUEUE_DRIVER`; default: postgres.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Queue {
    /// `postgres`: NOTIFY over the direct connection.
    Postgres,
    /// `redis`: a stream of the Redis at `REDIS_URL`.
    Redis { url: String },
    /// `sqs`: queues whose names begin with `SQS_PREFIX`, default: nofx.
    Sqs { prefix: String, aws: Aws },
}

impl Reader {
    pub(super) fn queue(&mut self) -> Queue {
        match self.text("QUEUE_DRIVER").as_deref() {
            None | Some("postgres") => Queue::Postgres,
            Some("redis") => Queue::Redis { url: self.required("REDIS_URL") },
            Some("sqs") => Queue::Sqs { prefix: self.text("SQS_PREFIX").unwrap_or_else(|| "nofx".to_owned()), aws: self.aws() },
            Some(other) => {
                self.problems.push(format!("QUEUE_DRIVER: `{other}` is not one of postgres, redis, sqs"));
                Queue::Postgres
            }
        }
    }
}
