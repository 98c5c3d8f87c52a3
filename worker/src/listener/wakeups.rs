//! Wake-ups between the queue and the consumer: the listener's loop wakes the consumer and waits for its claim before it acknowledges.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nofx_shared::settings::Queue;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::source::{Settings, WakeSource};
use super::{postgres, redis, sqs};

/// The consumer's side of the listener.
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
                    Queue::Postgres => listening.listen::<postgres::PostgresSource>(&settings).await,
                    Queue::Redis { .. } => listening.listen::<redis::RedisSource>(&settings).await,
                    // Boxed: the SDK's futures are large.
                    Queue::Sqs { .. } => Box::pin(listening.listen::<sqs::SqsSource>(&settings)).await,
                }
            })
            .await
        });
        wakeups
    }

    /// Wakes the consumer; several calls before it waits count as one.
    pub(crate) fn wake(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.woken.notify_one();
    }

    pub(crate) async fn woken(&self) {
        self.woken.notified().await;
    }

    /// Whether this worker can run another step. While it cannot, wake-ups go to other workers.
    pub(crate) fn set_has_capacity(&self, has_capacity: bool) {
        self.has_capacity.send_if_modified(|had| std::mem::replace(had, has_capacity) != has_capacity);
    }

    /// The number of wake-ups so far: a claim that starts now is later than all of them.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// A claim that started after this many wake-ups has returned.
    pub(crate) fn ack(&self, count: u64, found: bool) {
        self.acks.send_modify(|ack| *ack = Ack { count: count.max(ack.count), found });
    }

    /// Wakes the consumer at each wake-up of the source; every second while it is unavailable.
    async fn listen<S: WakeSource>(&self, settings: &Settings) {
        loop {
            if let Err(error) = self.listen_once::<S>(settings).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "wake-up source unavailable; polling every second");
            }
            self.wake();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn listen_once<S: WakeSource>(&self, settings: &Settings) -> Result<(), S::Error> {
        let mut source = S::open(settings).await?;
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
