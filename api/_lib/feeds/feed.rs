//! One tenant's feed: reads each event once and passes it to every stream of the tenant. Knows no other feed: see `hub`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use nofx_shared::auth::{Role, sign_for_api};
use nofx_shared::db::{self, Db};
use nofx_shared::events::{Cursor, EventFilter, EventRow, read_events};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

/// How soon to read again when an event was announced but an older transaction is still open.
const RETRY_MS: [u64; 5] = [2, 5, 10, 20, 50];

/// What feeds read from.
pub(super) struct FeedSource {
    pub service: Db,
    pub jwt_secret: String,
}

#[derive(Deserialize)]
struct Tail {
    tx: i64,
    id: i64,
}

impl FeedSource {
    /// The database as a viewer of the tenant sees it: row-level security decides for feeds too.
    pub(super) fn viewer(&self, tenant: Uuid) -> Db {
        self.service.acting_as(sign_for_api(&self.jwt_secret, "feed", tenant, Role::Viewer, None))
    }
}

/// Sends the events after the cursor to all streams of the tenant, until there are none; returns where it stopped.
pub(super) async fn run(
    source: &FeedSource,
    tenant: Uuid,
    sender: &broadcast::Sender<Arc<EventRow>>,
    written: &mut watch::Receiver<u64>,
    mut cursor: Cursor,
) -> Cursor {
    let (mut db, mut since) = (source.viewer(tenant), Instant::now());
    loop {
        if since.elapsed() > Duration::from_secs(60) {
            (db, since) = (source.viewer(tenant), Instant::now());
        }
        let mut pauses = RETRY_MS.iter();
        loop {
            match read_events(&db, cursor, &EventFilter::default(), 1000).await {
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
        if sender.receiver_count() == 0 {
            return cursor;
        }
    }
}

/// The cursor after which only events yet to come are read.
pub(super) async fn tail(db: &Db) -> Result<Cursor, db::Error> {
    let [Tail { tx, id }] = db.call("event_tail", &json!({})).await?;
    Ok(Cursor { tx, id })
}
