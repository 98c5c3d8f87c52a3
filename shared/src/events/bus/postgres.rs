//! NOTIFY over a direct connection: one for all tenants of the process.

use std::time::Duration;

use futures::TryStreamExt;
use tokio::sync::watch;
use tokio_postgres::{AsyncMessage, NoTls};

/// Counts up whenever something may have been written, for as long as a receiver is held.
pub(super) fn listen(db_url: String) -> watch::Receiver<u64> {
    let (tick, written) = watch::channel(0);
    tokio::spawn(async move {
        let following = async {
            loop {
                if let Err(error) = follow(&db_url, &tick).await {
                    tracing::warn!(%error, "the event listener's connection broke");
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        };
        tokio::select! { () = following => {}, () = tick.closed() => {} }
    });
    written
}

async fn follow(db_url: &str, tick: &watch::Sender<u64>) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = tokio_postgres::connect(db_url, NoTls).await?;
    let messages = futures::stream::poll_fn(move |context| connection.poll_message(context));
    let listening = async {
        // The lock shows writers that someone listens: see notify_event_listeners.
        client.batch_execute("listen nofx_event; select pg_advisory_lock_shared(hashtextextended('nofx_event', 0))").await?;
        // Whatever was written while there was no connection.
        tick.send_modify(|n| *n += 1);
        std::future::pending::<Result<(), tokio_postgres::Error>>().await
    };
    let receiving = async {
        messages
            .try_for_each(|message| async move {
                if let AsyncMessage::Notification(_) = message {
                    tick.send_modify(|n| *n += 1);
                }
                Ok(())
            })
            .await
    };
    tokio::select! { failed = listening => failed, ended = receiving => ended }
}
