//! Hears that there may be work. A ring may be lost, doubled or late: it is never trusted, only followed by a claim.
//! Knows nothing of claims; the consumer tells it when it has looked, and whether it found something.

mod postgres;
mod redis;
mod sqs;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nofx_shared::settings;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

/// Where rings come from: one implementation a queue driver.
pub(crate) trait WakeSource: Sized + Send {
    /// Why it cannot be notified: a lost connection, mostly.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Begins to listen.
    fn open(settings: &Settings) -> impl Future<Output = Result<Self, Self::Error>> + Send;

    /// Waits for a ring. The first call comes back at once, for what was rung while nobody listened. It may be asked again
    /// only after `looked`: nobody is rung who has no room.
    fn recv(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Nobody here has room: the ring is for another worker.
    fn nack(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// A claim followed the ring, and found something or nothing. A ring that nobody looked after comes again, to any worker.
    fn ack(&mut self, found: bool) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// What a doorbell needs to know.
#[derive(Clone)]
pub(crate) struct Settings {
    pub worker: String,
    pub db_url: Option<String>,
    pub queue: settings::Queue,
}

/// What the consumer holds of the doorbell.
#[derive(Clone)]
pub(crate) struct Wakeups {
    woken: Arc<Notify>,
    count: Arc<AtomicU64>,
    acks: Arc<watch::Sender<Ack>>,
    has_capacity: Arc<watch::Sender<bool>>,
}

#[derive(Clone, Copy, Default)]
struct Ack {
    count: u64,
    found: bool,
}

impl Wakeups {
    pub(crate) fn start(settings: Settings, stop: CancellationToken) -> Self {
        let wakeups = Self {
            woken: Arc::default(),
            count: Arc::default(),
            acks: Arc::new(watch::channel(Ack::default()).0),
            has_capacity: Arc::new(watch::channel(true).0),
        };
        let listening = wakeups.clone();
        tokio::spawn(async move {
            stop.run_until_cancelled(async move {
                match settings.queue {
                    settings::Queue::Postgres => listening.listen::<postgres::PostgresSource>(&settings).await,
                    settings::Queue::Redis { .. } => listening.listen::<redis::RedisSource>(&settings).await,
                    // Boxed: the SDK's futures are large.
                    settings::Queue::Sqs { .. } => Box::pin(listening.listen::<sqs::SqsSource>(&settings)).await,
                }
            })
            .await
        });
        wakeups
    }

    /// Several rings before a wait are one.
    pub(crate) fn wake(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.woken.notify_one();
    }

    pub(crate) async fn woken(&self) {
        self.woken.notified().await;
    }

    /// Whether this worker could take another step. While it could not, rings go to others.
    pub(crate) fn set_has_capacity(&self, has_capacity: bool) {
        self.has_capacity.send_if_modified(|had| std::mem::replace(had, has_capacity) != has_capacity);
    }

    /// How often it has rung so far: a claim that begins now follows all of these.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// A claim that began after so many rings has come back.
    pub(crate) fn ack(&self, count: u64, found: bool) {
        self.acks.send_modify(|ack| *ack = Ack { count: count.max(ack.count), found });
    }

    /// Rings whenever the driver does. While that is not there, every second.
    async fn listen<D: WakeSource>(&self, settings: &Settings) {
        loop {
            if let Err(error) = self.listen_once::<D>(settings).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "wake-up source unavailable; polling every second");
            }
            self.wake();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn listen_once<D: WakeSource>(&self, settings: &Settings) -> Result<(), D::Error> {
        let mut source = D::open(settings).await?;
        let mut acks = self.acks.subscribe();
        let mut capacity = self.has_capacity.subscribe();
        loop {
            if capacity.wait_for(|has_capacity| *has_capacity).await.is_err() {
                return Ok(());
            }
            source.recv().await?;
            if !*self.has_capacity.borrow() {
                source.nack().await?;
                continue;
            }
            self.wake();
            let count = self.count();
            let Ok(found) = acks.wait_for(|ack| ack.count >= count).await.map(|ack| ack.found) else { return Ok(()) };
            source.ack(found).await?;
        }
    }
}
