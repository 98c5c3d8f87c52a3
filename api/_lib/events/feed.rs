//! One tenant's feed: reads each event once and hands it to every stream of the tenant.

use std::sync::Arc;
use std::time::{Duration, Instant};

use nofx_shared::db::{self, Db};
use nofx_shared::events::{Cursor, EventRow};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

use super::hub::Hub;
use super::page::{EventFilter, read_page};

/// How soon to read again when an event was announced but an older transaction is still open.
const RETRY_MS: [u64; 5] = [2, 5, 10, 20, 50];

#[derive(Deserialize)]
struct Tail {
    tx: i64,
    id: i64,
}

/// Sends the events after the cursor to all streams of the tenant.
pub(super) async fn run(
    hub: Arc<Hub>,
    tenant: Uuid,
    sender: broadcast::Sender<Arc<EventRow>>,
    mut written: watch::Receiver<u64>,
    mut cursor: Cursor,
) {
    let (mut db, mut since) = (hub.viewer(tenant), Instant::now());
    loop {
        if since.elapsed() > Duration::from_secs(200) {
            (db, since) = (hub.viewer(tenant), Instant::now());
        }
        let mut pauses = RETRY_MS.iter();
        loop {
            match read_page(&db, cursor, &EventFilter::default(), 1000).await {
                Ok(rows) if !rows.is_empty() => {
                    for row in rows {
                        cursor = row.cursor();
                        // No receiver at this moment is no error.
                        drop(sender.send(Arc::new(row)));
                    }
                }
                Ok(_) => match pauses.next() {
                    Some(pause) => tokio::time::sleep(Duration::from_millis(*pause)).await,
                    None => break,
                },
                Err(error) => {
                    tracing::warn!(%error, "an event feed could not read the log");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    break;
                }
            }
        }
        // The timeout is for a transaction that was open for longer than all retries.
        drop(tokio::time::timeout(Duration::from_secs(1), written.changed()).await);
        if sender.receiver_count() == 0 && hub.remove(tenant, &sender) {
            return;
        }
    }
}

/// The cursor after which only events yet to come are read.
pub(super) async fn tail(db: &Db) -> Result<Cursor, db::Error> {
    let [Tail { tx, id }] = db.call("event_tail", &json!({})).await?;
    Ok(Cursor { tx, id })
}
