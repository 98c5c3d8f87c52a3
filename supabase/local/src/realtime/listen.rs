//! Listens to what `realtime.send` writes, while a socket is open.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::sync::{mpsc, watch};
use tokio_postgres::{AsyncMessage, Error, NoTls};

use super::hub::{Broadcast, Realtime};

impl Realtime {
    /// Starts the task that listens.
    pub(crate) fn open(db_url: String) -> Arc<Self> {
        let realtime = Arc::new(Self::new(db_url));
        tokio::spawn(run(Arc::clone(&realtime)));
        realtime
    }
}

/// Listens whenever a socket is open, until the stack stops.
async fn run(realtime: Arc<Realtime>) {
    let mut open = realtime.open.subscribe();
    let listening = async {
        while open.wait_for(|open| *open > 0).await.is_ok() {
            if let Err(error) = listen(&realtime).await {
                tracing::warn!(%error, "realtime could not listen to the database");
                realtime.listening.send_replace(false);
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    };
    // A socket may be open until the process ends.
    tokio::select! { () = listening => {}, () = realtime.stopping.cancelled() => {} }
}

/// Returns when the last socket has closed.
async fn last_closed(open: &mut watch::Receiver<usize>) {
    drop(open.wait_for(|open| *open == 0).await);
}

/// Enables or disables `realtime.send`: see bootstrap.sql.
fn rename(from: &str, to: &str) -> String {
    let signature = "(jsonb, text, text, boolean)";
    format!(
        "do $$ begin if to_regprocedure('realtime.{from}{signature}') is not null then alter function realtime.{from}{signature} rename to {to}; end if; end $$"
    )
}

async fn listen(realtime: &Realtime) -> Result<(), Error> {
    let (client, mut connection) = tokio_postgres::connect(&realtime.db_url, NoTls).await?;
    let (notify, mut notified) = mpsc::unbounded_channel();
    let receiving = tokio::spawn(async move {
        let mut messages = stream::poll_fn(|context| connection.poll_message(context));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notification(notification) = message
                && notify.send(notification.payload().to_owned()).is_err()
            {
                return;
            }
        }
    });
    // A Realtime of the database's own is left alone: it has its own server.
    let is_ours: bool = client.query_one("select to_regprocedure('realtime.is_stand_in()') is not null", &[]).await?.get(0);
    if !is_ours {
        tracing::warn!("the database has a Realtime of its own: this gateway does not listen to it");
        last_closed(&mut realtime.open.subscribe()).await;
        return Ok(());
    }
    client.batch_execute(&format!("truncate realtime.messages; listen realtime; {}", rename("send_disabled", "send"))).await?;
    realtime.listening.send_replace(true);
    let mut open = realtime.open.subscribe();
    loop {
        tokio::select! {
            id = notified.recv() => {
                let Some(id) = id else { break };
                let row = client.query_opt("select topic, event, payload, private from realtime.messages where id::text = $1", &[&id]).await?;
                if let Some(row) = row {
                    let message = Broadcast { topic: row.get(0), event: row.get(1), payload: row.get(2), private: row.get(3) };
                    // No socket may have joined.
                    drop(realtime.messages.send(Arc::new(message)));
                }
            }
            () = last_closed(&mut open) => break,
        }
    }
    realtime.listening.send_replace(false);
    let closed = client.batch_execute(&rename("send", "send_disabled")).await;
    receiving.abort();
    closed
}
