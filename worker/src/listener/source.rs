//! What a queue driver implements to receive wake-ups. What they cause is not here: see `wakeups`.

use std::future::Future;

use nofx_shared::settings;

/// A source of wake-ups: one implementation for each queue driver.
pub(super) trait WakeSource: Sized + Send {
    /// Why the source is unavailable: mostly a closed connection.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Starts to listen.
    fn open(settings: &Settings) -> impl Future<Output = Result<Self, Self::Error>> + Send;

    /// Waits for a wake-up. The first call returns at once, because wake-ups may have come before. After each call, `ack` or `nack` must
    /// follow: a worker without capacity receives none.
    fn recv(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Passes the wake-up on to another worker: this one has no capacity.
    fn nack(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Acknowledges the wake-up after a claim; `found` is false when no step was ready. A wake-up without `ack` comes again, to any worker.
    fn ack(&mut self, found: bool) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// Settings of a source.
#[derive(Clone)]
pub(crate) struct Settings {
    pub worker: String,
    pub db_url: Option<String>,
    pub queue: settings::Queue,
}
