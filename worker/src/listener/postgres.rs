//! Wake-ups by NOTIFY over a direct connection. A busy worker unsubscribes and polls instead, because NOTIFY serialises commits; see
//! `0104_engine_wake_workers.sql`.

use std::time::Duration;

use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_postgres::{AsyncMessage, Client, NoTls};

use super::source::{Settings, WakeSource};

/// `BURST_LENGTH` wake-ups in a row, each this soon after the one before, are a burst: the worker polls.
const BURST_GAP: Duration = Duration::from_millis(20);
const BURST_LENGTH: u32 = 8;
/// Wait between two polls.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("NOFX_DB_URL is not set")]
    NoUrl,
    #[error("the NOTIFY connection was closed")]
    Closed,
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
}

pub(super) struct PostgresSource {
    client: Client,
    notified: mpsc::Receiver<()>,
    /// Whether the database notifies this worker.
    listening: bool,
    /// Wake-ups in a row that came soon after the one before.
    burst: u32,
    last: Instant,
    /// Whether the next `recv` returns at once.
    poll_now: bool,
}

impl WakeSource for PostgresSource {
    type Error = Error;

    async fn open(settings: &Settings) -> Result<Self, Error> {
        let url = settings.db_url.as_ref().ok_or(Error::NoUrl)?;
        let (client, mut connection) = tokio_postgres::connect(url, NoTls).await?;
        let (notify, notified) = mpsc::channel(1);
        tokio::spawn(async move {
            let mut messages = std::pin::pin!(futures::stream::poll_fn(|context| connection.poll_message(context)));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(_) = message {
                    // Full: a wake-up that was not received yet counts for this one too.
                    let _ = notify.try_send(());
                }
            }
        });
        client.batch_execute("listen nofx_step_ready; select nofx_private.start_listening()").await?;
        Ok(Self { client, notified, listening: true, burst: 0, last: Instant::now(), poll_now: true })
    }

    async fn recv(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.poll_now) {
            return Ok(());
        }
        if !self.listening {
            tokio::time::sleep(POLL_INTERVAL).await;
            return Ok(());
        }
        self.notified.recv().await.ok_or(Error::Closed)?;
        self.burst = if self.last.elapsed() < BURST_GAP { self.burst + 1 } else { 0 };
        self.last = Instant::now();
        Ok(())
    }

    /// All workers were notified.
    async fn nack(&mut self) -> Result<(), Error> {
        self.poll_now = true;
        Ok(())
    }

    async fn ack(&mut self, found: bool) -> Result<(), Error> {
        if self.listening && self.burst >= BURST_LENGTH {
            self.client.batch_execute("select nofx_private.stop_listening()").await?;
            (self.listening, self.burst) = (false, 0);
        } else if !self.listening && !found {
            self.client.batch_execute("select nofx_private.start_listening()").await?;
            // Steps that became ready in between had no wake-up: one more poll finds them.
            (self.listening, self.poll_now) = (true, true);
        }
        Ok(())
    }
}
