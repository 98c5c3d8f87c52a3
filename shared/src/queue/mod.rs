//! The sending side of wake-ups, which make workers claim. A wake-up names a run or a step and nothing more; losing one costs seconds,
//! never work, because the next sweep wakes workers again. The receiving side is `worker/src/listener`.

mod error;
mod queue;
mod redis;
mod sqs;
mod wake_up;

pub use error::Error;
pub use queue::Queue;
pub use redis::{DEAD_STREAM, GROUP, STREAM};
pub use sqs::{Message, Urgency};
pub use wake_up::WakeUp;
