//! Rings by NOTIFY over a direct connection. While there is much to do it asks not to be notified and looks by itself, because
//! NOTIFY makes commits wait for each other; see `0104_engine_wake_workers.sql`.

use std::time::Duration;

use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_postgres::{AsyncMessage, Client, NoTls};

use super::{Settings, WakeSource};

/// Rings this close to each other, so many times in a row, are too many.
const BURST_GAP: Duration = Duration::from_millis(20);
const BURST_LENGTH: u32 = 8;
/// How long to wait between two looks while not being notified.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("NOFX_DB_URL is not set")]
    NoUrl,
    #[error("the NOTIFY connection was lost")]
    Lost,
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
}

pub(super) struct PostgresSource {
    client: Client,
    notified: mpsc::Receiver<()>,
    /// Whether the database knows that we wait.
    waiting: bool,
    /// Rings that were close to the one before.
    burst: u32,
    last: Instant,
    /// Whether to look without waiting for a ring.
    poll_now: bool,
}

impl WakeSource for PostgresSource {
    type Error = Error;

    async fn open(settings: &Settings) -> Result<Self, Error> {
        let url = settings.db_url.as_ref().ok_or(Error::NoUrl)?;
        let (client, mut connection) = tokio_postgres::connect(url, NoTls).await?;
        let (tell, notified) = mpsc::channel(1);
        tokio::spawn(async move {
            let mut messages = std::pin::pin!(futures::stream::poll_fn(|context| connection.poll_message(context)));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(_) = message {
                    // Full: a ring that nobody has notified yet stands for this one too.
                    let _ = tell.try_send(());
                }
            }
        });
        client.batch_execute("listen nofx_step_ready; select nofx_private.start_listening()").await?;
        Ok(Self { client, notified, waiting: true, burst: 0, last: Instant::now(), poll_now: true })
    }

    async fn recv(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.poll_now) {
            return Ok(());
        }
        if !self.waiting {
            tokio::time::sleep(POLL_INTERVAL).await;
            return Ok(());
        }
        self.notified.recv().await.ok_or(Error::Lost)?;
        self.burst = if self.last.elapsed() < BURST_GAP { self.burst + 1 } else { 0 };
        self.last = Instant::now();
        Ok(())
    }

    /// All workers were told.
    async fn nack(&mut self) -> Result<(), Error> {
        self.poll_now = true;
        Ok(())
    }

    async fn ack(&mut self, found: bool) -> Result<(), Error> {
        if self.waiting && self.burst >= BURST_LENGTH {
            self.client.batch_execute("select nofx_private.stop_listening()").await?;
            (self.waiting, self.burst) = (false, 0);
        } else if !self.waiting && !found {
            self.client.batch_execute("select nofx_private.start_listening()").await?;
            // What was rung meanwhile went unheard: one look finds it.
            (self.waiting, self.poll_now) = (true, true);
        }
        Ok(())
    }
}
