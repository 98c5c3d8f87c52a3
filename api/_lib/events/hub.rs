//! Hears that something was written, and keeps one feed a tenant for all its streams.
//! With a direct connection it listens (no polling); without one, feeds look twice a second while somebody streams.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nofx_shared::auth::{self, Role};
use nofx_shared::db::Db;
use nofx_shared::events::Row;
use tokio::sync::{OnceCell, broadcast, watch};
use tokio_postgres::{AsyncMessage, NoTls};
use uuid::Uuid;

use super::feed;

pub(crate) struct Hub {
    db_url: Option<String>,
    service: Db,
    jwt_secret: String,
    feeds: Mutex<HashMap<Uuid, broadcast::Sender<Arc<Row>>>>,
    listener: OnceCell<watch::Receiver<u64>>,
}

impl Hub {
    pub(crate) fn new(db_url: Option<String>, service: Db, jwt_secret: String) -> Self {
        Self { db_url, service, jwt_secret, feeds: Mutex::default(), listener: OnceCell::new() }
    }

    /// Everything that is written for a tenant from now on.
    pub(super) async fn subscribe(self: &Arc<Self>, tenant: Uuid) -> broadcast::Receiver<Arc<Row>> {
        let written = self.listener.get_or_init(|| async { listen(self.db_url.clone()) }).await.clone();
        let mut feeds = self.feeds.lock().expect("nobody panics while holding it");
        if let Some(feed) = feeds.get(&tenant) {
            return feed.subscribe();
        }
        let (sender, receiver) = broadcast::channel(4096);
        feeds.insert(tenant, sender.clone());
        tokio::spawn(feed::run(Arc::clone(self), tenant, sender, written));
        receiver
    }

    /// Drops a feed that nobody reads; false when somebody came meanwhile.
    pub(super) fn forget(&self, tenant: Uuid, feed: &broadcast::Sender<Arc<Row>>) -> bool {
        let mut feeds = self.feeds.lock().expect("nobody panics while holding it");
        if feed.receiver_count() > 0 {
            return false;
        }
        feeds.remove(&tenant);
        true
    }

    /// The database as a viewer of the tenant sees it: row-level security decides for feeds too.
    pub(super) fn viewer(&self, tenant: Uuid) -> Db {
        self.service.acting_as(auth::sign_for(&self.jwt_secret, "feed", tenant, Role::Viewer, 300))
    }
}

/// Counts up whenever something may have been written.
fn listen(db_url: Option<String>) -> watch::Receiver<u64> {
    let (tick, written) = watch::channel(0);
    tokio::spawn(async move {
        let Some(db_url) = db_url else {
            loop {
                tokio::time::sleep(Duration::from_millis(500)).await;
                tick.send_modify(|n| *n += 1);
            }
        };
        loop {
            if let Err(error) = follow(&db_url, &tick).await {
                tracing::warn!(%error, "the event listener lost its connection");
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    });
    written
}

async fn follow(db_url: &str, tick: &watch::Sender<u64>) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = tokio_postgres::connect(db_url, NoTls).await?;
    let messages = futures::stream::poll_fn(move |context| connection.poll_message(context));
    let listening = async {
        // The lock tells writers that somebody listens: see announce_events.
        client.batch_execute("listen nofx_event; select pg_advisory_lock_shared(hashtextextended('nofx_event', 0))").await?;
        // Whatever was written while there was no connection.
        tick.send_modify(|n| *n += 1);
        std::future::pending::<Result<(), tokio_postgres::Error>>().await
    };
    let hearing = async {
        use futures::TryStreamExt;
        messages
            .try_for_each(|message| async move {
                if let AsyncMessage::Notification(_) = message {
                    tick.send_modify(|n| *n += 1);
                }
                Ok(())
            })
            .await
    };
    tokio::select! { failed = listening => failed, ended = hearing => ended }
}
