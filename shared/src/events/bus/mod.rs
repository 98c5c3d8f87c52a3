//! Announces new events to followers of the event log: by NOTIFY over a direct connection, by Redis if that is the queue, or by Supabase
//! Realtime. An announcement is a hint and may be lost; the log is read with a cursor (`read_events`), which misses nothing.

mod postgres;
mod realtime;
mod redis;

use tokio::sync::{OnceCell, watch};
use uuid::Uuid;

use crate::auth::{self, Role};
use crate::settings;

pub(crate) use redis::CHANNEL;

/// The announcements of the settings.
pub struct EventBus {
    supabase: settings::Supabase,
    queue: settings::Queue,
    listener: OnceCell<watch::Receiver<u64>>,
}

impl EventBus {
    /// Connects when the first follower comes.
    pub fn new(supabase: settings::Supabase, queue: settings::Queue) -> Self {
        Self { supabase, queue, listener: OnceCell::new() }
    }

    /// Counts up whenever something may have been written for a tenant, for as long as the receiver is held.
    pub async fn follow(&self, tenant: Uuid) -> watch::Receiver<u64> {
        match (&self.supabase.db_url, &self.queue) {
            (Some(db_url), _) => self.listener.get_or_init(|| async { postgres::listen(db_url.clone()) }).await.clone(),
            (None, settings::Queue::Redis { url }) => self.listener.get_or_init(|| async { redis::listen(url.clone()) }).await.clone(),
            (None, _) => realtime::listen(self.supabase.clone(), tenant),
        }
    }
}

/// A token of a viewer of a tenant, valid for five minutes.
pub fn viewer_token(supabase: &settings::Supabase, tenant: Uuid) -> String {
    auth::sign_for(&supabase.jwt_secret, "feed", tenant, Role::Viewer, 300)
}
