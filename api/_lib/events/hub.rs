//! One feed for each tenant, shared by all its streams. A feed reads the log when new events are announced, and once a second besides.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use nofx_shared::db::{self, Db};
use nofx_shared::events::{EventBus, EventRow, viewer_token};
use nofx_shared::settings;
use tokio::sync::broadcast;
use uuid::Uuid;

use super::feed;

pub(crate) struct Hub {
    supabase: settings::Supabase,
    service: Db,
    bus: EventBus,
    feeds: Mutex<HashMap<Uuid, broadcast::Sender<Arc<EventRow>>>>,
}

impl Hub {
    pub(crate) fn new(supabase: settings::Supabase, queue: settings::Queue, service: Db) -> Self {
        Self { bus: EventBus::new(supabase.clone(), queue), supabase, service, feeds: Mutex::default() }
    }

    /// Everything that is written for a tenant from now on.
    pub(super) async fn subscribe(self: &Arc<Self>, tenant: Uuid) -> Result<broadcast::Receiver<Arc<EventRow>>, db::Error> {
        let known = self.feeds.lock().expect("nobody panics while holding it").get(&tenant).map(broadcast::Sender::subscribe);
        if let Some(receiver) = known {
            return Ok(receiver);
        }
        let written = self.bus.follow(tenant).await;
        // Read before the stream is open: a feed that read it later would miss what is written meanwhile.
        let tail = feed::tail(&self.viewer(tenant)).await?;
        let mut feeds = self.feeds.lock().expect("nobody panics while holding it");
        // Another request may have started the feed meanwhile.
        if let Some(feed) = feeds.get(&tenant) {
            return Ok(feed.subscribe());
        }
        let (sender, receiver) = broadcast::channel(4096);
        feeds.insert(tenant, sender.clone());
        tokio::spawn(feed::run(Arc::clone(self), tenant, sender, written, tail));
        Ok(receiver)
    }

    /// Removes a feed without streams; false when one was opened meanwhile.
    pub(super) fn remove(&self, tenant: Uuid, feed: &broadcast::Sender<Arc<EventRow>>) -> bool {
        let mut feeds = self.feeds.lock().expect("nobody panics while holding it");
        if feed.receiver_count() > 0 {
            return false;
        }
        feeds.remove(&tenant);
        true
    }

    /// The database as a viewer of the tenant sees it: row-level security decides for feeds too.
    pub(super) fn viewer(&self, tenant: Uuid) -> Db {
        self.service.acting_as(viewer_token(&self.supabase, tenant))
    }
}
