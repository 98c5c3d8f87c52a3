//! Receives wake-ups: there may be ready steps. A wake-up may be lost, doubled or late; it only causes a claim.
//!
//! The consumer claims, and acknowledges the wake-ups that came before the claim.

mod postgres;
mod redis;
mod source;
mod sqs;
mod wakeups;

pub(crate) use source::Settings;
pub(crate) use wakeups::Wakeups;
