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
pub(crate) trait Doorbell: Sized + Send {
    /// Why it cannot be heard: a lost connection, mostly.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Begins to listen.
    fn open(settings: &Settings) -> impl Future<Output = Result<Self, Self::Error>> + Send;

    /// Waits for a ring. The first call comes back at once, for what was rung while nobody listened. It may be asked again
    /// only after `looked`: nobody is rung who has no room.
    fn ring(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Nobody here has room: the ring is for another worker.
    fn pass_on(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// A claim followed the ring, and found something or nothing. A ring that nobody looked after comes again, to any worker.
    fn looked(&mut self, found: bool) -> impl Future<Output = Result<(), Self::Error>> + Send;
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
pub(crate) struct Bell {
    rung: Arc<Notify>,
    rings: Arc<AtomicU64>,
    looks: Arc<watch::Sender<Look>>,
    has_room: Arc<watch::Sender<bool>>,
}

#[derive(Clone, Copy, Default)]
struct Look {
    rings: u64,
    found: bool,
}

impl Bell {
    pub(crate) fn listen(settings: Settings, stop: CancellationToken) -> Self {
        let bell = Self {
            rung: Arc::default(),
            rings: Arc::default(),
            looks: Arc::new(watch::channel(Look::default()).0),
            has_room: Arc::new(watch::channel(true).0),
        };
        let ringing = bell.clone();
        tokio::spawn(async move {
            stop.run_until_cancelled(async move {
                match settings.queue {
                    settings::Queue::Postgres => ringing.attend::<postgres::Notifications>(&settings).await,
                    settings::Queue::Redis { .. } => ringing.attend::<redis::Stream>(&settings).await,
                    // Boxed: the SDK's futures are large.
                    settings::Queue::Sqs { .. } => Box::pin(ringing.attend::<sqs::Queues>(&settings)).await,
                }
            })
            .await
        });
        bell
    }

    /// Several rings before a wait are one.
    pub(crate) fn ring(&self) {
        self.rings.fetch_add(1, Ordering::Relaxed);
        self.rung.notify_one();
    }

    pub(crate) async fn wait(&self) {
        self.rung.notified().await;
    }

    /// Whether this worker could take another step. While it could not, rings go to others.
    pub(crate) fn set_room(&self, has_room: bool) {
        self.has_room.send_if_modified(|had| std::mem::replace(had, has_room) != has_room);
    }

    /// How often it has rung so far: a claim that begins now follows all of these.
    pub(crate) fn rings(&self) -> u64 {
        self.rings.load(Ordering::Relaxed)
    }

    /// A claim that began after so many rings has come back.
    pub(crate) fn looked(&self, rings: u64, found: bool) {
        self.looks.send_modify(|look| *look = Look { rings: rings.max(look.rings), found });
    }

    /// Rings whenever the driver does. While that is not there, every second.
    async fn attend<D: Doorbell>(&self, settings: &Settings) {
        loop {
            if let Err(error) = self.follow::<D>(settings).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "wake-up source unavailable; polling every second");
            }
            self.ring();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn follow<D: Doorbell>(&self, settings: &Settings) -> Result<(), D::Error> {
        let mut doorbell = D::open(settings).await?;
        let mut looks = self.looks.subscribe();
        let mut room = self.has_room.subscribe();
        loop {
            if room.wait_for(|has_room| *has_room).await.is_err() {
                return Ok(());
            }
            doorbell.ring().await?;
            if !*self.has_room.borrow() {
                doorbell.pass_on().await?;
                continue;
            }
            self.ring();
            let rings = self.rings();
            let Ok(found) = looks.wait_for(|look| look.rings >= rings).await.map(|look| look.found) else { return Ok(()) };
            doorbell.looked(found).await?;
        }
    }
}
