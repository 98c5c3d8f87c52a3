//! Hears that there may be work. A ring may be lost, doubled or late: it is never trusted, only followed by a claim.
//! Rings come by NOTIFY over a direct connection; while there is none, the bell rings by itself every second.

use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use tokio::sync::Notify;
use tokio_postgres::{AsyncMessage, NoTls};
use tokio_util::sync::CancellationToken;

/// Rings while something may be ready.
#[derive(Clone)]
pub(crate) struct Bell {
    rung: Arc<Notify>,
}

impl Bell {
    pub(crate) fn listen(db_url: Option<String>, stop: CancellationToken) -> Self {
        let bell = Self { rung: Arc::new(Notify::new()) };
        let ringing = bell.clone();
        tokio::spawn(async move {
            stop.run_until_cancelled(async move {
                loop {
                    if let Some(db_url) = &db_url
                        && let Err(error) = ringing.follow(db_url).await
                    {
                        tracing::warn!(%error, "the doorbell lost its connection; looking every second meanwhile");
                    }
                    ringing.ring();
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            })
            .await
        });
        bell
    }

    /// Several rings before a wait are one.
    pub(crate) fn ring(&self) {
        self.rung.notify_one();
    }

    pub(crate) async fn wait(&self) {
        self.rung.notified().await;
    }

    async fn follow(&self, db_url: &str) -> Result<(), tokio_postgres::Error> {
        let (client, mut connection) = tokio_postgres::connect(db_url, NoTls).await?;
        let messages = futures::stream::poll_fn(move |context| connection.poll_message(context));
        let listening = async {
            client.batch_execute("listen nofx_doorbell").await?;
            // Whatever became ready while there was no connection.
            self.ring();
            std::future::pending::<Result<(), tokio_postgres::Error>>().await
        };
        let hearing = messages.try_for_each(|message| async move {
            if let AsyncMessage::Notification(_) = message {
                self.ring();
            }
            Ok(())
        });
        tokio::select! { failed = listening => failed, ended = hearing => ended }
    }
}
