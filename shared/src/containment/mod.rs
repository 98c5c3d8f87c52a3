//! What keeps a failure where it happened: breakers, dead letters, alerts. The database decides all of it; the loops are in `worker`.

mod alert;
mod breaker;
mod dead_letter;
mod edge_config;

pub use alert::{Alert, AlertKind, AlertsChanged, watch_queues};
pub use breaker::{Breaker, BreakerState};
pub use dead_letter::{DeadLetter, DeadLetterSelector, DlqReason, Purged, RefusedDeadLetter, Requeued};
pub use edge_config::{EdgeConfig, OpenBreakers, open_breakers};
