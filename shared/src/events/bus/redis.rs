//! Receives announcements of new events over Redis: deployments whose queue is Redis could otherwise only poll. A message is a hint.

use std::time::Duration;

use futures::StreamExt;
use redis::{Client, RedisError};
use tokio::sync::watch;

/// The channel on which writers announce new events.
pub(crate) const CHANNEL: &str = "nofx:events";

/// Counts up whenever something may have been written, for all tenants, for as long as a receiver is held.
pub(super) fn listen(url: String) -> watch::Receiver<u64> {
    let (tick, written) = watch::channel(0);
    tokio::spawn(async move {
        let following = async {
            loop {
                if let Err(error) = follow(&url, &tick).await {
                    tracing::warn!(error = &error as &dyn std::error::Error, "could not receive events over Redis");
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        };
        tokio::select! { () = following => {}, () = tick.closed() => {} }
    });
    written
}

async fn follow(url: &str, tick: &watch::Sender<u64>) -> Result<(), RedisError> {
    let mut subscription = Client::open(url)?.get_async_pubsub().await?;
    subscription.subscribe(CHANNEL).await?;
    // Whatever was written while there was no connection.
    tick.send_modify(|n| *n += 1);
    let mut messages = subscription.on_message();
    while messages.next().await.is_some() {
        tick.send_modify(|n| *n += 1);
    }
    Ok(())
}
