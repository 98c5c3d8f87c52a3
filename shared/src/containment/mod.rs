//! What keeps a failure where it happened: breakers, dead letters, alerts. All of it is decided by the database; the loops are in `worker`.

mod alert;
mod breaker;
mod dead_letter;
mod edge;

pub use alert::{Alert, AlertKind, Watched, watch_queues};
pub use breaker::{Breaker, BreakerState};
pub use dead_letter::{Choice, DeadLetter, DlqReason, Purged, RefusedDeadLetter, Requeued};
pub use edge::{Edge, OpenBreakers, open_breakers};
