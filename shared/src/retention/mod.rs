//! How long history is kept: a tenant's settings, legal holds, and the deletion of what is old. Any worker may delete at any time, and so may a
//! cron job.

mod hold;
mod partitions;
mod prune;
mod setting;

pub use hold::LegalHold;
pub use partitions::{maintain_event_partitions, prune_logs, prune_requests};
pub use prune::prune;
pub use setting::{Retained, RetentionSetting};
