//! Hears that something was written, and keeps one feed a tenant for all its streams.
//! With a direct connection it listens to the database, without one to Supabase Realtime. Feeds look once a second besides.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nofx_shared::auth::{self, Role};
use nofx_shared::db::Db;
use nofx_shared::events::Row;
use nofx_shared::settings;
use tokio::sync::{OnceCell, broadcast, watch};
use tokio_postgres::{AsyncMessage, NoTls};
use uuid::Uuid;

use super::{feed, realtime};

pub(crate) struct Hub {
    supabase: settings::Supabase,
    service: Db,
    feeds: Mutex<HashMap<Uuid, broadcast::Sender<Arc<Row>>>>,
    listener: OnceCell<watch::Receiver<u64>>,
}

impl Hub {
    pub(crate) fn new(supabase: settings::Supabase, service: Db) -> Self {
        Self { supabase, service, feeds: Mutex::default(), listener: OnceCell::new() }
    }

    /// Everything that is written for a tenant from now on.
    pub(super) async fn subscribe(self: &Arc<Self>, tenant: Uuid) -> broadcast::Receiver<Arc<Row>> {
        let shared = match self.supabase.db_url.clone() {
            Some(db_url) => Some(self.listener.get_or_init(|| async { listen(db_url) }).await.clone()),
            None => None,
        };
        let mut feeds = self.feeds.lock().expect("nobody panics while holding it");
        if let Some(feed) = feeds.get(&tenant) {
            return feed.subscribe();
        }
        let (sender, receiver) = broadcast::channel(4096);
        feeds.insert(tenant, sender.clone());
        let written = shared.unwrap_or_else(|| realtime::listen(Arc::clone(self), tenant));
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
        self.service.acting_as(self.viewer_token(tenant))
    }

    /// Good for five minutes.
    pub(super) fn viewer_token(&self, tenant: Uuid) -> String {
        auth::sign_for(&self.supabase.jwt_secret, "feed", tenant, Role::Viewer, 300)
    }

    pub(super) fn realtime_url(&self) -> String {
        // http → ws, https → wss.
        let base = self.supabase.url.replacen("http", "ws", 1);
        format!("{base}/realtime/v1/websocket?vsn=1.0.0&apikey={}", self.supabase.anon_key)
    }
}

/// Counts up whenever something may have been written.
fn listen(db_url: String) -> watch::Receiver<u64> {
    let (tick, written) = watch::channel(0);
    tokio::spawn(async move {
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
