//! Announces new events to followers of the event log: by NOTIFY over a direct connection, by Redis if that is the queue, or by Supabase
//! Realtime. An announcement is a hint and may be lost; the log is read with a cursor (`read_events`), which misses nothing.

mod event_bus;
mod postgres;
mod realtime;
mod redis;
mod viewer;

pub use event_bus::EventBus;
pub(crate) use redis::CHANNEL;
