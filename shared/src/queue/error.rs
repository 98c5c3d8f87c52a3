//! Why the queue did not take a wake-up. Senders log it and continue: the next sweep wakes workers again.

use super::sqs;

/// Why a wake-up could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not wake workers through Redis")]
    Redis(#[from] ::redis::RedisError),
    #[error("could not wake workers through SQS")]
    Sqs(#[from] sqs::Error),
}
