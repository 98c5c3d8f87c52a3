//! The bus that the settings select. Each transport is in a file of its own.

use tokio::sync::{OnceCell, watch};
use uuid::Uuid;

use super::{postgres, realtime, redis};
use crate::settings;

/// The announcements of the settings.
pub struct EventBus {
    supabase: settings::Supabase,
    jwt_secret: String,
    queue: settings::Queue,
    listener: OnceCell<watch::Receiver<u64>>,
}

impl EventBus {
    /// Connects when the first follower subscribes.
    pub fn new(supabase: settings::Supabase, jwt_secret: String, queue: settings::Queue) -> Self {
        Self { supabase, jwt_secret, queue, listener: OnceCell::new() }
    }

    /// Counts up whenever something may have been written for a tenant, for as long as the receiver is held.
    pub async fn follow(&self, tenant: Uuid) -> watch::Receiver<u64> {
        match (&self.supabase.db_url, &self.queue) {
            (Some(db_url), _) => self.listener.get_or_init(|| async { postgres::listen(db_url.clone()) }).await.clone(),
            (None, settings::Queue::Redis { url }) => self.listener.get_or_init(|| async { redis::listen(url.clone()) }).await.clone(),
            (None, _) => realtime::listen(self.supabase.clone(), self.jwt_secret.clone(), tenant),
        }
    }
}
